//! The RPC wire by hand (RpcWireFormat.h of frameworks/native/libs/binder), for clients that mean no good and the fuzzer.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::methods::code;

/// The interfaces' names.
pub(crate) const MEDIAGATE: &str = "IMediagate";
pub(crate) const STORE: &str = "IMediaStore";

/// A connection that has shaken hands as a client of the android-13 wire does (RpcWireFormat.h).
pub(crate) fn greeted(socket: &std::path::Path) -> UnixStream {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // RpcConnectionHeader: version, options, fd mode, reserved, no session id.
    stream.write_all(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    // RpcOutgoingConnectionInit; then the service's RpcNewSessionResponse.
    stream.write_all(b"cci\0\0\0\0\0").unwrap();
    stream.read_exact(&mut [0; 8]).unwrap();
    stream
}

/// RpcWireHeader of a TRANSACT with a body of `size` bytes.
pub(crate) fn header(size: u32) -> [u8; 16] {
    let mut header = [0; 16];
    header[4..8].copy_from_slice(&size.to_le_bytes());
    header
}

/// A call as the android-16 wire has it: RpcWireTransaction, then the parcel (RpcWireFormat.h).
pub(crate) fn call(address: [u8; 8], code: u32, parcel: &[u8]) -> Vec<u8> {
    // No flags; no number, as it is not one-way.
    transaction(address, code, [0, 0], parcel, &[])
}

/// A call whose parcel has objects of the client's at these places.
pub(crate) fn call_with(address: [u8; 8], code: u32, parcel: &[u8], objects: &[u32]) -> Vec<u8> {
    transaction(address, code, [0, 0], parcel, objects)
}

/// Adds an object of the client's to a parcel, and says where: that there is one, its address, its stability. Of an address
/// the options come first: made by the client (`RPC_WIRE_ADDRESS_OPTION_CREATED`).
pub(crate) fn add_object(parcel: &mut Vec<u8>, number: u32) -> u32 {
    let at = u32::try_from(parcel.len()).unwrap();
    for word in [1, 1, number, 0] {
        parcel.extend(word.to_le_bytes());
    }
    at
}

/// A call that nobody waits for; `number` is its place among those to the same object.
pub(crate) fn one_way(address: [u8; 8], code: u32, number: u64, parcel: &[u8]) -> Vec<u8> {
    transaction(address, code, [1, number], parcel, &[])
}

fn transaction(
    address: [u8; 8],
    code: u32,
    [flags, number]: [u64; 2],
    parcel: &[u8],
    objects: &[u32],
) -> Vec<u8> {
    let mut message = header((40 + parcel.len() + 4 * objects.len()) as u32).to_vec();
    message.extend(address);
    message.extend(code.to_le_bytes());
    message.extend((flags as u32).to_le_bytes());
    message.extend(number.to_le_bytes());
    message.extend((parcel.len() as u32).to_le_bytes());
    message.extend([0; 12]);
    message.extend(parcel);
    message.extend(objects.iter().flat_map(|at| at.to_le_bytes()));
    message
}

/// The next answer's status and parcel; other messages are passed over.
pub(crate) fn answer(stream: &mut UnixStream) -> std::io::Result<(i32, Vec<u8>)> {
    loop {
        let mut head = [0; 16];
        stream.read_exact(&mut head)?;
        let word = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
        let mut body = vec![0; word(4) as usize];
        stream.read_exact(&mut body)?;
        // RPC_COMMAND_REPLY.
        if word(0) == 1 {
            let status = i32::from_le_bytes(body[..4].try_into().unwrap());
            return Ok((status, body.split_off(20.min(body.len()))));
        }
    }
}

/// The root object's address, by GET_ROOT: an object in a parcel is a word that says so, and its address.
pub(crate) fn root(stream: &mut UnixStream) -> [u8; 8] {
    stream.write_all(&call([0; 8], 0, &[])).unwrap();
    let (status, parcel) = answer(stream).unwrap();
    assert_eq!(status, 0);
    parcel[4..12].try_into().unwrap()
}

/// The store's address: no exception, then an object.
pub(crate) fn store(stream: &mut UnixStream, root: [u8; 8]) -> [u8; 8] {
    stream.write_all(&call(root, code(MEDIAGATE, "mediaStore"), &token(MEDIAGATE))).unwrap();
    let (status, parcel) = answer(stream).unwrap();
    assert_eq!((status, &parcel[..4]), (0, [0; 4].as_slice()));
    parcel[8..16].try_into().unwrap()
}

/// What a call of one of our interfaces begins with: its name.
pub(crate) fn token(interface: &str) -> Vec<u8> {
    let units: Vec<u16> = format!("io.mediagate.{interface}").encode_utf16().chain([0]).collect();
    let mut parcel = (units.len() as u32 - 1).to_le_bytes().to_vec();
    parcel.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    parcel.resize(parcel.len().next_multiple_of(4), 0);
    parcel
}
