//! Properties that outlive the packet they came in.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use mqtt_codec::{EncodeError, Properties, Property};

/// An owned list of MQTT 5 properties, encoded.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PropertyBuffer(Box<[u8]>);

impl PropertyBuffer {
    /// Copies properties. Whether they fit the packet is checked when that is encoded.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for a string or binary value above 65 535 bytes.
    pub fn new<'a>(properties: impl IntoIterator<Item = Property<'a>>) -> Result<Self, EncodeError> {
        let mut bytes = Vec::new();
        for property in properties {
            property.encode(&mut bytes)?;
        }
        Ok(Self(bytes.into_boxed_slice()))
    }

    /// The properties.
    pub fn get(&self) -> Properties<'_> {
        Properties::assume_valid(&self.0)
    }
}

impl fmt::Debug for PropertyBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.get().iter()).finish()
    }
}
