//! The browser and the network of a request, in words.

use crate::{
    display_name::visible,
    text::{Text, fill},
};

/// A browser and the network it was in. Either may be empty, where it is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// As in "Firefox on Linux".
    pub device: String,
    /// As in "203.0.113.0/24"; `localhost` for this computer.
    pub network: String,
}

impl Place {
    /// In words, such as "Firefox on Linux, this computer".
    pub(crate) fn words(&self, text: &Text) -> String {
        let network = self.network(text);
        let device = match self.device.as_str() {
            "" => text.unknown_device.to_owned(),
            device => match device.split_once(" on ") {
                Some((browser, system)) => {
                    let values = [("browser", &*visible(browser)), ("system", &*visible(system))];
                    fill(text.browser_on, &values)
                }
                None => visible(device),
            },
        };
        network.map_or_else(|| device.clone(), |network| format!("{device}, {network}"))
    }

    /// The network alone, for a client, which is not a browser.
    pub(crate) fn words_of_a_program(&self, text: &Text) -> String {
        self.network(text).unwrap_or_else(|| text.unknown_network.to_owned())
    }

    fn network(&self, text: &Text) -> Option<String> {
        match self.network.as_str() {
            "" => None,
            "localhost" => Some(text.this_computer.to_owned()),
            network => Some(fill(text.network, &[("network", &visible(network))])),
        }
    }
}
