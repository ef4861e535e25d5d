//! Content-Format identifiers (RFC 7252 §12.3): the IANA registry as of 2026.

use core::fmt;

/// A Content-Format identifier: one number for a media type, its parameters and a content coding. RFC 7252 §12.3.
///
/// Every number is allowed; those without a registration have no [`media_type`](Self::media_type).
/// ```
/// use coap_codec::ContentFormat;
///
/// assert_eq!(ContentFormat::CBOR.get(), 60);
/// assert_eq!(ContentFormat::from_media_type("application/cbor"), Some(ContentFormat::CBOR));
/// assert_eq!(ContentFormat::new(60).media_type(), Some("application/cbor"));
/// assert_eq!(ContentFormat::new(11060).to_string(), "application/cbor@deflate");
/// assert_eq!(ContentFormat::new(65001).to_string(), "65001");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentFormat(u16);

impl ContentFormat {
    /// Any number from 0 to 65535.
    #[inline]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number that travels in Content-Format and Accept.
    #[inline]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The registered media type with its parameters, without the content coding.
    pub fn media_type(self) -> Option<&'static str> {
        self.registration().map(|entry| entry.media_type)
    }

    /// The content coding that the number implies, as `Content-Encoding` would name it: `deflate`, `zstd`.
    pub fn content_coding(self) -> Option<&'static str> {
        self.registration().and_then(|entry| entry.coding)
    }

    /// The number of a media type, written as registered: `type/subtype; parameter=value@coding` (the notation of RFC 9193).
    ///
    /// Case, blanks around `;` and quotes around a value do not matter. `text/plain` alone is UTF-8 here, the only
    /// plain text that CoAP has a number for; any other parameter that is not registered makes it `None`.
    pub fn from_media_type(text: &str) -> Option<Self> {
        let (media_type, coding) = split_coding(text);
        REGISTRY
            .iter()
            .find(|entry| {
                let same = same_media_type(entry.media_type, media_type) || is_plain_text(entry, media_type);
                same && same_coding(entry.coding, coding)
            })
            .map(|entry| entry.number)
    }

    /// What a person may write for a Content-Format: the number or the media type. RFC 9193 §3.
    pub fn from_spec(text: &str) -> Option<Self> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { text.parse().ok().map(Self) } else { Self::from_media_type(text) }
    }

    fn registration(self) -> Option<&'static Registration> {
        REGISTRY.binary_search_by_key(&self, |entry| entry.number).ok().and_then(|at| REGISTRY.get(at))
    }
}

/// The media type, with `@coding` where there is one (RFC 9193); the number when it is not registered.
impl fmt::Display for ContentFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.registration() {
            Some(Registration { media_type, coding: Some(coding), .. }) => write!(f, "{media_type}@{coding}"),
            Some(Registration { media_type, .. }) => f.pad(media_type),
            None => write!(f, "{}", self.0),
        }
    }
}

impl From<u16> for ContentFormat {
    fn from(number: u16) -> Self {
        Self(number)
    }
}

impl From<ContentFormat> for u16 {
    fn from(format: ContentFormat) -> Self {
        format.0
    }
}

struct Registration {
    number: ContentFormat,
    media_type: &'static str,
    coding: Option<&'static str>,
}

/// `@` inside quotes is part of a value.
fn split_coding(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('@') {
        Some((media_type, coding)) if !coding.contains('"') => (media_type, Some(coding.trim())),
        _ => (text, None),
    }
}

fn same_coding(registered: Option<&str>, given: Option<&str>) -> bool {
    match (registered, given) {
        (None, None) => true,
        (Some(registered), Some(given)) => registered.eq_ignore_ascii_case(given),
        _ => false,
    }
}

fn is_plain_text(entry: &Registration, given: &str) -> bool {
    entry.media_type.starts_with("text/plain") && given.trim().eq_ignore_ascii_case("text/plain")
}

fn same_media_type(registered: &str, given: &str) -> bool {
    let mut given = given.split(';').map(str::trim);
    registered.split(';').map(str::trim).all(|part| given.next().is_some_and(|other| same_part(part, other)))
        && given.next().is_none()
}

fn same_part(registered: &str, given: &str) -> bool {
    match (registered.split_once('='), given.split_once('=')) {
        (Some((name, value)), Some((other_name, other_value))) => {
            name.eq_ignore_ascii_case(other_name.trim_end())
                && unquoted(value).eq_ignore_ascii_case(unquoted(other_value))
        }
        (None, None) => registered.eq_ignore_ascii_case(given),
        _ => false,
    }
}

fn unquoted(value: &str) -> &str {
    let value = value.trim();
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// One line per registration, ascending: constant, number, media type, content coding.
macro_rules! registry {
    ($($name:ident = $number:literal, $media_type:literal $(, $coding:literal)?;)+) => {
        impl ContentFormat {
            $(
                #[doc = concat!("`", $media_type, "`" $(, " with content coding ", $coding)?)]
                pub const $name: Self = Self($number);
            )+
        }

        static REGISTRY: &[Registration] = &[$(Registration {
            number: ContentFormat::$name,
            media_type: $media_type,
            coding: registry!(@coding $($coding)?),
        }),+];
    };
    (@coding) => { None };
    (@coding $coding:literal) => { Some($coding) };
}

registry! {
    TEXT_PLAIN = 0, "text/plain; charset=utf-8";
    COSE_ENCRYPT0 = 16, "application/cose; cose-type=\"cose-encrypt0\"";
    COSE_MAC0 = 17, "application/cose; cose-type=\"cose-mac0\"";
    COSE_SIGN1 = 18, "application/cose; cose-type=\"cose-sign1\"";
    ACE_CBOR = 19, "application/ace+cbor";
    IMAGE_GIF = 21, "image/gif";
    IMAGE_JPEG = 22, "image/jpeg";
    IMAGE_PNG = 23, "image/png";
    LINK_FORMAT = 40, "application/link-format";
    XML = 41, "application/xml";
    OCTET_STREAM = 42, "application/octet-stream";
    EXI = 47, "application/exi";
    JSON = 50, "application/json";
    JSON_PATCH = 51, "application/json-patch+json";
    MERGE_PATCH = 52, "application/merge-patch+json";
    CBOR = 60, "application/cbor";
    CWT = 61, "application/cwt";
    MULTIPART_CORE = 62, "application/multipart-core";
    CBOR_SEQ = 63, "application/cbor-seq";
    EDHOC_CBOR_SEQ = 64, "application/edhoc+cbor-seq";
    CID_EDHOC_CBOR_SEQ = 65, "application/cid-edhoc+cbor-seq";
    COSE_ENCRYPT = 96, "application/cose; cose-type=\"cose-encrypt\"";
    COSE_MAC = 97, "application/cose; cose-type=\"cose-mac\"";
    COSE_SIGN = 98, "application/cose; cose-type=\"cose-sign\"";
    COSE_KEY = 101, "application/cose-key";
    COSE_KEY_SET = 102, "application/cose-key-set";
    SENML_JSON = 110, "application/senml+json";
    SENSML_JSON = 111, "application/sensml+json";
    SENML_CBOR = 112, "application/senml+cbor";
    SENSML_CBOR = 113, "application/sensml+cbor";
    SENML_EXI = 114, "application/senml-exi";
    SENSML_EXI = 115, "application/sensml-exi";
    YANG_DATA_CBOR_ID_SID = 140, "application/yang-data+cbor; id=sid";
    COAP_GROUP_JSON = 256, "application/coap-group+json";
    CONCISE_PROBLEM_DETAILS_CBOR = 257, "application/concise-problem-details+cbor";
    SWID_CBOR = 258, "application/swid+cbor";
    PKIXCMP = 259, "application/pkixcmp";
    YANG_SID_JSON = 260, "application/yang-sid+json";
    ACE_GROUPCOMM_CBOR = 261, "application/ace-groupcomm+cbor";
    ACE_TRL_CBOR = 262, "application/ace-trl+cbor";
    EAT_CWT = 263, "application/eat+cwt";
    EAT_JWT = 264, "application/eat+jwt";
    EAT_BUN_CBOR = 265, "application/eat-bun+cbor";
    EAT_BUN_JSON = 266, "application/eat-bun+json";
    EAT_UCS_CBOR = 267, "application/eat-ucs+cbor";
    EAT_UCS_JSON = 268, "application/eat-ucs+json";
    COAP_EAP = 269, "application/coap-eap";
    SUIT_REPORT_COSE = 270, "application/suit-report+cose";
    DOTS_CBOR = 271, "application/dots+cbor";
    MISSING_BLOCKS_CBOR_SEQ = 272, "application/missing-blocks+cbor-seq";
    CMW_CBOR = 273, "application/cmw+cbor";
    CMW_JSON = 274, "application/cmw+json";
    CMW_COSE = 275, "application/cmw+cose";
    CMW_JWS = 276, "application/cmw+jws";
    SCITT_STATEMENT_COSE = 277, "application/scitt-statement+cose";
    SCITT_RECEIPT_COSE = 278, "application/scitt-receipt+cose";
    STATUSLIST_CWT = 279, "application/statuslist+cwt";
    PKCS7_MIME_SERVER_GENERATED_KEY = 280, "application/pkcs7-mime; smime-type=server-generated-key";
    PKCS7_MIME_CERTS_ONLY = 281, "application/pkcs7-mime; smime-type=certs-only";
    PKCS8 = 284, "application/pkcs8";
    CSRATTRS = 285, "application/csrattrs";
    PKCS10 = 286, "application/pkcs10";
    PKIX_CERT = 287, "application/pkix-cert";
    AIF_CBOR = 290, "application/aif+cbor";
    AIF_JSON = 291, "application/aif+json";
    AIF_CBOR_TOID_CRI = 292, "application/aif+cbor; toid=CRI-local-part";
    SD_CWT = 293, "application/sd-cwt";
    KB_CWT = 294, "application/kb+cwt";
    MEASURED_COMPONENT_CBOR = 295, "application/measured-component+cbor";
    MEASURED_COMPONENT_JSON = 296, "application/measured-component+json";
    AIF_CBOR_OSCORE_GROUPS = 297, "application/aif+cbor; toid=oscore-gname; tperm=oscore-gperm";
    AIF_JSON_OSCORE_GROUPS = 298, "application/aif+json; toid=oscore-gname; tperm=oscore-gperm";
    COSE_C509_CERT_CBOR = 299, "application/cose-c509-cert+cbor";
    COSE_C509_CBOR = 300, "application/cose-c509+cbor";
    COSE_C509_CBOR_CHAIN = 301, "application/cose-c509+cbor; usage=chain";
    COSE_C509_PKCS10_CBOR = 302, "application/cose-c509-pkcs10+cbor";
    COSE_C509_CRTEMPLATE_CBOR = 303, "application/cose-c509-crtemplate+cbor";
    COSE_C509_PRIVKEY_CBOR = 304, "application/cose-c509-privkey+cbor";
    COSE_C509_PEM_CBOR = 305, "application/cose-c509-pem+cbor";
    COSE_CERTHASH_CBOR = 306, "application/cose-certhash+cbor";
    COSE_CERTHASH_CBOR_C509 = 307, "application/cose-certhash+cbor; usage=c509";
    SENML_XML = 310, "application/senml+xml";
    SENSML_XML = 311, "application/sensml+xml";
    SENML_ETCH_JSON = 320, "application/senml-etch+json";
    SENML_ETCH_CBOR = 322, "application/senml-etch+cbor";
    YANG_DATA_CBOR = 340, "application/yang-data+cbor";
    YANG_DATA_CBOR_ID_NAME = 341, "application/yang-data+cbor; id=name";
    TD_JSON = 432, "application/td+json";
    TM_JSON = 433, "application/tm+json";
    SDF_JSON = 434, "application/sdf+json";
    DNS_MESSAGE = 553, "application/dns-message";
    UCCS_CBOR = 601, "application/uccs+cbor";
    VOUCHER_COSE = 836, "application/voucher+cose";
    OCF_CBOR = 10000, "application/vnd.ocf+cbor";
    OSCORE = 10001, "application/oscore";
    JAVASCRIPT = 10002, "application/javascript";
    EAT_CWT_PSA_TFM = 10003, "application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\"";
    EAT_CWT_PSA_LEGACY = 10004, "application/eat+cwt; eat_profile=\"tag:psacertified.org,2019:psa#legacy\"";
    EAT_CWT_INTEL = 10005, "application/eat+cwt; eat_profile=2.16.840.1.113741.1.16.1";
    VND_OMS_CELLULAR_COSE_CONTENT_CBOR = 10006, "application/vnd.oms.cellular-cose-content+cbor";
    SYSLOG_MSG = 10007, "application/syslog-msg";
    TOC_CBOR = 10570, "application/toc+cbor";
    CE_CBOR = 10571, "application/ce+cbor";
    TOC_CBOR_INTEL = 10572, "application/toc+cbor; profile=2.16.840.1.113741.1.16.1";
    CE_CBOR_INTEL = 10573, "application/ce+cbor; profile=2.16.840.1.113741.1.16.1";
    JSON_DEFLATE = 11050, "application/json", "deflate";
    CBOR_DEFLATE = 11060, "application/cbor", "deflate";
    LWM2M_TLV = 11542, "application/vnd.oma.lwm2m+tlv";
    LWM2M_JSON = 11543, "application/vnd.oma.lwm2m+json";
    LWM2M_CBOR = 11544, "application/vnd.oma.lwm2m+cbor";
    TEXT_PLAIN_ZSTD = 12000, "text/plain; charset=utf-8", "zstd";
    XML_ZSTD = 12041, "application/xml", "zstd";
    JSON_ZSTD = 12050, "application/json", "zstd";
    TEXT_CSS = 20000, "text/css";
    VND_AS207960_VAS_CONFIG_JER = 20001, "application/vnd.as207960.vas.config+jer";
    VND_AS207960_VAS_CONFIG_UPER = 20002, "application/vnd.as207960.vas.config+uper";
    VND_AS207960_VAS_TAP_JER = 20003, "application/vnd.as207960.vas.tap+jer";
    VND_AS207960_VAS_TAP_UPER = 20004, "application/vnd.as207960.vas.tap+uper";
    IMAGE_SVG_XML = 30000, "image/svg+xml";
}
