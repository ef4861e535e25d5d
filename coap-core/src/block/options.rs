//! What the Block options of a request say.

use coap_codec::{Block, Malformed, Options};

/// The Block options of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockOptions {
    /// Which block of the request's body this is.
    pub(crate) block1: Option<Block>,
    /// Which block of the response's body is wanted. Its M means nothing and is as if 0 (RFC 7959 §2.2).
    pub(crate) block2: Option<Block>,
    /// Whether the size of the response's body is asked for (Size2 in a request, §4).
    pub(crate) wants_size: bool,
}

/// The Block options of a request that came in a datagram with this payload.
///
/// # Errors
/// The words for a 4.00: size exponent 7 is reserved (RFC 7959 §2.2), and a block that is not the last has the size that it
/// says (§2.3).
pub(crate) fn blocks_of(options: Options<'_>, payload: &[u8]) -> Result<BlockOptions, &'static str> {
    let block1 = usable(options.block1()).map_err(|()| "Block1 with a reserved size")?;
    let block2 = usable(options.block2()).map_err(|()| "Block2 with a reserved size")?;
    if block1.is_some_and(|block| block.more() && block.size() != payload.len()) {
        return Err("a block that is not the last must be full");
    }
    let block2 = block2.and_then(|block| Block::new(block.num(), false, block.size_exponent()));
    Ok(BlockOptions { block1, block2, wants_size: options.size2().is_some() })
}

/// A Block option, unless it is one that datagrams cannot have.
pub(super) fn usable(block: Option<Result<Block, Malformed>>) -> Result<Option<Block>, ()> {
    match block {
        None => Ok(None),
        Some(Ok(block)) if !block.is_bert() => Ok(Some(block)),
        Some(_) => Err(()),
    }
}
