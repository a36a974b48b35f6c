//! Boxes that are named by a UUID.

use super::super::finding::What;
use super::super::input::Unreadable;
use super::super::iptc;
use super::boxes::Head;
use super::{Place, Walker, opaque, words, xmp};

impl Walker<'_, '_> {
    pub(super) fn uuid(&mut self, head: &Head, depth: u8) -> Result<(), Unreadable> {
        let Some(uuid) = self.input.array::<16>(head.body.start)?.filter(|_| head.body.len() >= 16) else {
            return Ok(());
        };
        let body = words::behind(head.body, 16);
        match &uuid {
            b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac" => {
                xmp::find(self.input, body, self.out)?
            }
            // EXIF in JPEG 2000 (ExifTool, Adobe, digiKam).
            b"JpgTiffExif->JP2" | b"\x05\x37\xcd\xab\x9d\x0c\x44\x31\xa7\x2a\xfa\x56\x1f\x2a\x11\x3e" => {
                if !super::items::tiff(self.input, body, self.out)? {
                    head.hide(What::Whole { block: "EXIF" }, self.out);
                }
            }
            b"\x33\xc7\xa4\xd2\xb8\x1d\x47\x23\xa0\xba\xf1\xa3\xe0\x97\xad\x38"
            | b"\x09\xa1\x4e\x97\xc0\xb4\x42\xe0\xbe\xbf\x36\xdf\x6f\x0c\xe3\x6f" => {
                iptc::find(self.input, body, self.out)?;
            }
            b"\x2c\x4c\x01\x00\x85\x04\x40\xb9\xa0\x3e\x56\x21\x48\xd6\xdf\xeb" => {
                iptc::resources(self.input, body, self.out)?;
            }
            // Canon's raw: boxes, among them the blocks of EXIF.
            b"\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48" => {
                self.boxes(body, Place::UserData, depth + 1)?;
            }
            // The track log of a Garmin, sensors of a 360fly, GeoTIFF in JPEG 2000, and the world file of the same.
            b"\x9b\x63\x0f\x8d\x63\x74\x40\xec\x82\x04\xbc\x5f\xf5\x09\x17\x28"
            | b"\xef\xe1\x58\x9a\xbb\x77\x49\xef\x80\x95\x27\x75\x9e\xb1\xdc\x6f"
            | b"\xb1\x4b\xf8\xbd\x08\x3d\x4b\x43\xa5\xae\x8c\xd7\xd5\xa6\xce\x03"
            | b"\x96\xa9\xf1\xf1\xdc\x98\x40\x2d\xa7\xae\xd6\x8e\x34\x45\x18\x09" => {
                head.hide_as_box(self.out)
            }
            _ => {
                if opaque::block(self.input, body, false, self.out)? {
                    head.hide_as_box(self.out);
                }
            }
        }
        Ok(())
    }
}
