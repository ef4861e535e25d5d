/// Arbitrary bytes, spent as decisions: a law that needs choices takes them from here. At the end all choices are 0.
#[derive(Clone, Debug)]
pub struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    /// All of these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// The next two bytes.
    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// A number below `bound`, which is at most 256.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// True once in `times`; false at the end.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    /// One of the choices; the first at the end.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Mostly the first of the choices.
    pub fn mostly<T: Copy>(&mut self, choices: &[T]) -> T {
        let rest = choices.len() - 1;
        match usize::from(self.byte()) {
            byte @ 224.. if rest > 0 => choices[1 + byte % rest],
            _ => choices[0],
        }
    }

    /// As many of the next bytes as there are, `len` at most.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Changes a few bytes, and sometimes cuts the second half off.
    pub(crate) fn spoil(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() || self.once_in(4) {
            bytes.push(self.byte());
            return;
        }
        for _ in 0..=self.below(3) {
            let at = usize::from(self.u16()) % bytes.len();
            bytes[at] = self.byte();
        }
        if self.once_in(3) {
            bytes.truncate(bytes.len() / 2);
        }
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }
}

/// Cuts bytes into pieces of these sizes (each counted from 0), again and again.
pub(crate) fn cut<'a>(bytes: &'a [u8], sizes: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = bytes;
    let sizes = if sizes.is_empty() { &[0] } else { sizes };
    sizes.iter().cycle().map_while(move |size| {
        let (piece, later) = rest.split_at(rest.len().min(usize::from(*size) + 1));
        rest = later;
        (!piece.is_empty()).then_some(piece)
    })
}
