//! Public addresses of the Internet: those to which a URL from a stranger may lead.
//!
//! `auth` checks them before it fetches a document that a client names, `client` before it follows a
//! URL from a server. Any address that is not known to be public is refused. IPv6 addresses that embed
//! an IPv4 address are also judged by that address, because a translator may route them there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks that are not public, with their prefix lengths (RFC 6890 and the IANA registry of
/// special-purpose addresses).
const SPECIAL_V4: [(Ipv4Addr, u32); 18] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Platform services of Azure, reachable from inside its networks.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, reserved and broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// Networks within global unicast that are not public.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    // IETF protocol assignments, including Teredo and ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// The range of global unicast addresses (RFC 4291 §2.4).
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// IPv4-mapped (RFC 4291 §2.5.5.2).
const MAPPED: (Ipv6Addr, u32) = (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
/// NAT64 with the well-known prefix (RFC 6052 §2.1).
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
/// 6to4 (RFC 3056 §2).
const SIX_TO_FOUR: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);

/// Whether the address belongs to the public Internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|(network, length)| {
        (u32::from(*network) ^ u32::from(address)).leading_zeros() >= *length
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if within(address, MAPPED) || within(address, NAT64) {
        return is_public_v4(embedded_v4(u128::from(address)));
    }
    if !within(address, GLOBAL_UNICAST) || SPECIAL_V6.iter().any(|one| within(address, *one)) {
        return false;
    }
    if within(address, SIX_TO_FOUR) && !is_public_v4(embedded_v4(u128::from(address) >> 80)) {
        return false;
    }
    // ISATAP embeds an IPv4 address in the interface identifier, under any prefix (RFC 5214 §6.1).
    let [.., marker, mark, _, _] = address.segments();
    let is_isatap = (marker == 0 || marker == 0x200) && mark == 0x5efe;
    !is_isatap || is_public_v4(embedded_v4(u128::from(address)))
}

fn within(address: Ipv6Addr, (network, length): (Ipv6Addr, u32)) -> bool {
    (u128::from(network) ^ u128::from(address)).leading_zeros() >= length
}

/// The lowest 32 bits as an IPv4 address.
fn embedded_v4(bits: u128) -> Ipv4Addr {
    let [.., a, b, c, d] = bits.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> bool {
        is_public(text.parse().unwrap_or_else(|_| panic!("{text} is not an address")))
    }

    #[test]
    fn addresses_of_the_public_internet_are_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "93.184.216.34",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001:81b::200e",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "::ffff:1.1.1.1",
            "64:ff9b::8.8.8.8",
            "2002:101:101::1",
            "2606:4700::5efe:101:101",
            "2606:4700::200:5efe:101:101",
        ] {
            assert!(judged(text), "{text}");
        }
    }

    #[test]
    fn every_special_ipv4_network_is_refused_from_its_first_to_its_last_address() {
        for (first, last) in [
            ("0.0.0.0", "0.255.255.255"),
            ("10.0.0.0", "10.255.255.255"),
            ("100.64.0.0", "100.127.255.255"),
            ("127.0.0.0", "127.255.255.255"),
            ("168.63.129.16", "168.63.129.16"),
            ("169.254.0.0", "169.254.255.255"),
            ("172.16.0.0", "172.31.255.255"),
            ("192.0.0.0", "192.0.0.255"),
            ("192.0.2.0", "192.0.2.255"),
            ("192.31.196.0", "192.31.196.255"),
            ("192.52.193.0", "192.52.193.255"),
            ("192.88.99.0", "192.88.99.255"),
            ("192.168.0.0", "192.168.255.255"),
            ("192.175.48.0", "192.175.48.255"),
            ("198.18.0.0", "198.19.255.255"),
            ("198.51.100.0", "198.51.100.255"),
            ("203.0.113.0", "203.0.113.255"),
            ("224.0.0.0", "239.255.255.255"),
            ("240.0.0.0", "255.255.255.255"),
        ] {
            assert!(!judged(first) && !judged(last), "{first} to {last}");
        }
    }

    #[test]
    fn addresses_of_ipv6_that_are_not_global_are_refused() {
        for text in [
            "::",
            "::1",
            "::7f00:1",
            "100::1",
            "fc00::1",
            "fd00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:10::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "2620:4f:8000::1",
            "3fff::1",
            "3fff:fff:ffff::1",
            "4000::1",
            "5f00::1",
            "64:ff9b:1::1",
            "64:ff9b:1:7f00:0:1::",
        ] {
            assert!(!judged(text), "{text}");
        }
    }

    #[test]
    fn an_ipv4_address_inside_an_ipv6_one_is_judged_too() {
        for (form, text) in [
            ("IPv4-mapped", "::ffff:127.0.0.1"),
            ("IPv4-mapped", "::ffff:10.0.0.1"),
            ("IPv4-mapped", "::ffff:169.254.169.254"),
            ("IPv4-mapped", "::ffff:0:1"),
            ("IPv4-translated", "::ffff:0:127.0.0.1"),
            ("IPv4-compatible", "::127.0.0.1"),
            ("IPv4-compatible", "::8.8.8.8"),
            ("NAT64", "64:ff9b::127.0.0.1"),
            ("NAT64", "64:ff9b::a9fe:a9fe"),
            ("NAT64", "64:ff9b::192.168.0.1"),
            ("NAT64 of this network", "64:ff9b:1::8.8.8.8"),
            ("6to4", "2002:7f00:1::1"),
            ("6to4", "2002:a00:1::1"),
            ("6to4", "2002:c0a8:1::"),
            ("6to4", "2002:a9fe:a9fe::1"),
            ("ISATAP", "2606:4700::5efe:7f00:1"),
            ("ISATAP", "2606:4700::5efe:10.0.0.1"),
            ("ISATAP", "2606:4700::200:5efe:192.168.0.1"),
            ("ISATAP in 6to4", "2002:101:101::5efe:127.0.0.1"),
        ] {
            assert!(!judged(text), "{form}: {text}");
        }
    }
}
