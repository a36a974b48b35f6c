//! Codecs as MIME types and colours as numbers, the way Android's `MediaFormat` has them.

/// The MIME type of an ISO sample entry of video.
pub(super) fn of_sample_entry(kind: [u8; 4]) -> Option<&'static str> {
    Some(match &kind {
        b"avc1" | b"avc2" | b"avc3" | b"avc4" => "video/avc",
        b"hvc1" | b"hev1" => "video/hevc",
        b"dvh1" | b"dvhe" | b"dva1" | b"dvav" | b"dav1" => "video/dolby-vision",
        b"av01" => "video/av01",
        b"vp08" => "video/x-vnd.on2.vp8",
        b"vp09" => "video/x-vnd.on2.vp9",
        b"s263" | b"h263" | b"H263" => "video/3gpp",
        b"mp4v" => "video/mp4v-es",
        b"jpeg" | b"mjpa" | b"mjpb" | b"mjpg" => "video/mjpeg",
        _ => return None,
    })
}

/// The MIME type of an object type of an elementary stream of video (ISO 14496-1, 7.2.6.6.2), in a `mp4v` entry.
pub(super) fn of_object_type(number: u8) -> Option<&'static str> {
    Some(match number {
        0x20 => "video/mp4v-es",
        0x21 => "video/avc",
        0x23 => "video/hevc",
        0x60..=0x65 | 0x6a => "video/mpeg2",
        0x6c => "video/mjpeg",
        _ => return None,
    })
}

/// The MIME type of a Matroska codec.
pub(super) fn of_matroska(codec: &str) -> Option<&'static str> {
    Some(match codec {
        "V_MPEG4/ISO/AVC" => "video/avc",
        "V_MPEGH/ISO/HEVC" => "video/hevc",
        "V_AV1" => "video/av01",
        "V_VP8" => "video/x-vnd.on2.vp8",
        "V_VP9" => "video/x-vnd.on2.vp9",
        "V_MPEG4/ISO/SP" | "V_MPEG4/ISO/ASP" | "V_MPEG4/ISO/AP" => "video/mp4v-es",
        "V_MPEG1" | "V_MPEG2" => "video/mpeg2",
        "V_MJPEG" => "video/mjpeg",
        _ => return None,
    })
}

/// `MediaFormat.COLOR_STANDARD_*` of coding-independent primaries and matrix (ITU-T H.273).
pub(super) fn standard(primaries: u64, matrix: u64) -> Option<u8> {
    match (primaries, matrix) {
        (1, _) => Some(1),
        (5, _) => Some(2),
        (6 | 7, _) => Some(4),
        (9, _) => Some(6),
        // Unspecified: what the matrix is of.
        (2, 1) => Some(1),
        (2, 5) => Some(2),
        (2, 6) => Some(4),
        (2, 9 | 10) => Some(6),
        _ => None,
    }
}

/// `MediaFormat.COLOR_TRANSFER_*` of coding-independent transfer characteristics.
pub(super) fn transfer(number: u64) -> Option<u8> {
    match number {
        8 => Some(1),
        1 | 6 | 14 | 15 => Some(3),
        16 => Some(6),
        18 => Some(7),
        _ => None,
    }
}

/// `MediaFormat.COLOR_RANGE_*`.
pub(super) fn range(full: bool) -> u8 {
    if full { 1 } else { 2 }
}
