//! What `explain` says of a vector, where it can be asked.

use std::os::unix::ffi::OsStrExt;

use mediagate::binder::Client;
use mediagate::control::ExplainRequest;

use crate::schema::Vector;
use crate::stage::Stage;

/// What is expected of `explain`: it says whether bytes are redacted, but neither owners nor what a listing shows.
pub(crate) fn expected(vector: &Vector<'_>) -> String {
    match vector.mounted {
        "allow-owned" | "allow-filtered" | "allow-all" => "allow",
        other => other,
    }
    .to_owned()
}

pub(crate) fn ask(client: &Client, stage: &Stage<'_>, vector: &Vector<'_>) -> Option<String> {
    let operation = match vector.op {
        "open-read" => "read",
        "open-write" => "write",
        "opendir" => "list",
        "unlink" => "delete",
        "xattr" => "listxattr",
        // Whether a listing shows it is not asked.
        "list" => return None,
        other => other,
    };
    let mounted = |relative: &str| stage.mounted(relative).as_os_str().as_bytes().to_vec();
    let request = ExplainRequest {
        uid: vector.uid(),
        operation: operation.to_owned(),
        path: mounted(&stage.object(vector)),
        to: stage.target(vector).map(|to| mounted(&to)),
    };
    let answer = match client.explain(&request) {
        Ok(answer) => answer,
        Err(error) => return Some(format!("that it cannot: {error}")),
    };
    Some(match (answer.allowed, answer.redacted && vector.op == "open-read") {
        (true, true) => "allow-redacted".to_owned(),
        (true, false) => "allow".to_owned(),
        (false, _) => answer.errno,
    })
}
