//! The device page in its states.

use super::{
    Shown,
    consent::{client, tools},
    person,
};
use crate::{
    Frame, Language, Place, ScopeLine,
    device::{DeviceCodePage, DeviceConsentPage, DeviceDonePage, DeviceNotice},
};

pub(crate) fn device(language: Language) -> DeviceConsentPage {
    DeviceConsentPage {
        user_code: "WDJB-MJHT".to_owned(),
        client: client(),
        resource_name: "MCP demo".to_owned(),
        scopes: vec![tools(language), ScopeLine::standard("profile")],
        asked_from: Some(Place { device: String::new(), network: "203.0.113.0/24".to_owned() }),
        asked_at: 1_764_028_800,
        person: person(),
        not_ticked: false,
        request: "sealed-request".to_owned(),
        csrf: "sample".to_owned(),
    }
}

pub(super) fn samples(frame: &Frame) -> Vec<Shown> {
    let code = |user_code: &str, notice| {
        let page =
            DeviceCodePage { user_code: user_code.to_owned(), notice, csrf: "sample".to_owned() };
        page.render(frame)
    };
    let not_ticked = DeviceConsentPage { not_ticked: true, ..device(frame.language()) };
    let done = |allowed| DeviceDonePage { allowed }.render(frame);
    vec![
        ("/device", "Device, type the code", code("", None)),
        ("/device/given", "Device, code from the address", code("WDJB-MJHT", None)),
        ("/device/unknown", "Device, wrong code", code("WDJB", Some(DeviceNotice::Unknown))),
        ("/device/too-many", "Device, too many codes", code("", Some(DeviceNotice::TooMany))),
        ("/device/confirm", "Device, confirm", device(frame.language()).render(frame)),
        ("/device/not-ticked", "Device, box not ticked", not_ticked.render(frame)),
        ("/device/allowed", "Device, allowed", done(true)),
        ("/device/denied", "Device, denied", done(false)),
    ]
}
