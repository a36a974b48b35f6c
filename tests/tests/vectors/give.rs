//! Gives callers what a vector says that they hold on single files, and takes it back.

use mediagate::binder::Client;
use mediagate::control::GrantSpec;

use crate::schema::{GrantSpec as Kind, Vector};
use crate::stage::{Stage, below};

/// Gives all that the vector says.
pub(crate) fn give(client: &Client, stage: &Stage<'_>, vector: &Vector<'_>) {
    let (row, object) = (vector.row, stage.object(vector));
    let replaced = row.replaced.iter().filter_map(|it| Some((stage.target(vector)?, &it.grants)));
    let contained = row.contains.iter().map(|it| (below(&object, &it.name), &it.grants));
    let files: Vec<_> =
        std::iter::once((object.clone(), &row.object.grants)).chain(replaced).chain(contained).collect();
    for (file, kind) in files.iter().flat_map(|(file, kinds)| kinds.iter().map(move |kind| (file, kind))) {
        // A caller without a package can hold nothing, and the vectors say of it what they say without grants.
        let Some(package) = vector.caller.package.clone() else { continue };
        let kind = match kind {
            Kind::Selected => "selected",
            Kind::Read => "read",
            Kind::Write => "write",
        };
        let path = stage.mounted(file).into_os_string().into_encoded_bytes();
        let user = vector.uid() / 100_000;
        let given =
            client.add_grant(&GrantSpec { package, user, path, kind: kind.to_owned(), expires: None });
        given.unwrap_or_else(|error| panic!("{}: {file:?} cannot be granted: {error}", vector.id));
    }
}

/// Takes everything back.
pub(crate) fn take(client: &Client, vector: &Vector<'_>) {
    if let Some(package) = &vector.caller.package {
        client.remove_grants(package, vector.uid() / 100_000, None).unwrap();
    }
}

/// Whether the vector is about grants.
pub(crate) fn is_about_grants(vector: &Vector<'_>) -> bool {
    let row = vector.row;
    let replaced = row.replaced.iter().flat_map(|it| &it.grants);
    let contained = row.contains.iter().flat_map(|it| &it.grants);
    row.object.grants.iter().chain(replaced).chain(contained).next().is_some()
}
