//! Deny by default: all that an app gets that was given nothing. It is said here a second time, by paths and owners alone, so
//! that a rule that lets more in does not vouch for itself.

use mediagate_policy::{
    AndroidDir, DefaultDir, Kind, ListScope, Object, Operation, Place, Principal, UserRelation, VolumeKind,
    decide,
};
use proptest::prelude::*;

use crate::world::{bare, profiles, thing};
use crate::{access, cases, is_look, operations};

/// The kinds of files that directories tell apart.
#[derive(PartialEq, Eq)]
enum Type {
    Visual { video: bool },
    Audio,
    Subtitle,
    Other,
}

/// By the extensions that the world's names have.
fn type_of(path: &[u8]) -> Type {
    let extension = path.rsplit(|it| *it == b'.').next().unwrap_or_default();
    match extension.to_ascii_lowercase().as_slice() {
        b"jpg" | b"png" => Type::Visual { video: false },
        b"mp4" => Type::Visual { video: true },
        b"mp3" => Type::Audio,
        b"srt" => Type::Subtitle,
        _ => Type::Other,
    }
}

fn takes(directory: DefaultDir, path: &[u8]) -> bool {
    let of = type_of(path);
    match directory {
        DefaultDir::Documents | DefaultDir::Download => true,
        DefaultDir::Dcim | DefaultDir::Pictures => matches!(of, Type::Visual { .. }),
        DefaultDir::Movies => matches!(of, Type::Visual { video: true } | Type::Subtitle),
        DefaultDir::Music => matches!(of, Type::Audio | Type::Subtitle),
        _ => of == Type::Audio,
    }
}

/// An object from the app's point of view.
struct Seen<'a> {
    what: Object<'a>,
    place: Place<'a>,
    /// In a tree that its user shares, and not the service's.
    open: bool,
    /// The path is the service's and may be looked up.
    made_up: bool,
    /// In the directory of one of its packages.
    own_directory: bool,
    /// In a private directory that is not.
    private: bool,
    /// A file of one of its packages.
    own_file: bool,
}

impl<'a> Seen<'a> {
    fn new(who: &Principal, what: Object<'a>) -> Seen<'a> {
        let place = Place::of(what.path);
        let relation = what.user.map(|user| profiles().relation(who.user(), user));
        let shared = match relation {
            None => what.volume == VolumeKind::Public,
            Some(relation) => matches!(relation, UserRelation::Own | UserRelation::SharesMedia),
        };
        let mut names = what.path.split(|it| *it == b'/');
        let service = names.next().is_some_and(|it| it.eq_ignore_ascii_case(b".transforms"));
        let synthetic = names.next().is_none_or(|it| it.eq_ignore_ascii_case(b"synthetic"));
        let in_own_tree = relation.is_none_or(|it| it == UserRelation::Own);
        let (own_directory, private) = match place {
            Place::AndroidPackage { dir, package, .. } => {
                let named = who.packages.iter().any(|it| it.as_bytes().eq_ignore_ascii_case(package));
                let own = named && (in_own_tree || dir == AndroidDir::Media);
                (own, !own && dir != AndroidDir::Media)
            }
            _ => (false, false),
        };
        let owner = what.row.and_then(|row| row.owner);
        let own_file = owner.is_some_and(|owner| who.packages.iter().any(|it| **it == *owner));
        let open = shared && !service;
        Seen { what, place, open, made_up: shared && service && synthetic, own_directory, private, own_file }
    }

    /// Names are visible but in others' `Android/data` and `obb`.
    fn is_visible(&self) -> bool {
        let hides = matches!(
            self.place,
            Place::AndroidPackage { dir: AndroidDir::Data | AndroidDir::Obb, itself: false, .. }
        );
        self.open && !(self.private && hides)
    }

    /// Everything about the file.
    fn is_own(&self) -> bool {
        self.open && (self.own_directory || self.own_file && !self.private)
    }

    /// Below the top level, where nobody else's private directory is.
    fn is_deeper(&self) -> bool {
        let below = match self.place {
            Place::Root | Place::Top { .. } | Place::Android => false,
            Place::AndroidTop(dir) => !dir.is_private(),
            Place::Below { .. } | Place::AndroidPackage { .. } | Place::AndroidOther => true,
        };
        self.open && below && !self.private
    }

    fn is_new_directory(&self) -> bool {
        self.is_deeper() || self.open && matches!(self.place, Place::Top { default: Some(_) })
    }

    /// A place that takes files of this type.
    fn is_place_for_new(&self) -> bool {
        let fits = matches!(self.place, Place::Below { default: Some(it) } if takes(it, self.what.path));
        self.open && (self.own_directory || fits && self.what.row.is_none())
    }

    /// Everything that the app gets.
    fn gets(&self, op: Operation<'_>) -> bool {
        if self.what.mount_root {
            return is_look(op) || op == access(false, false, true);
        }
        let file = self.what.kind == Kind::File;
        match op {
            _ if is_look(op) => self.is_visible() || self.made_up,
            Operation::ListEntry if !file => self.is_visible(),
            Operation::OpenDir => self.is_listed(),
            Operation::Access(mask) if !file && !mask.write => self.is_listed(),
            Operation::Access(_) | Operation::MakeDir if !file => self.is_new_directory(),
            Operation::RemoveDir => self.is_deeper(),
            Operation::SetAttr if !file => self.open && self.own_directory,
            Operation::Access(mask) => !mask.execute && self.is_own(),
            Operation::OpenRead
            | Operation::OpenWrite
            | Operation::SetAttr
            | Operation::ListEntry
            | Operation::Unlink => self.is_own(),
            Operation::Create => self.is_place_for_new(),
            _ => false,
        }
    }

    fn is_listed(&self) -> bool {
        let tree_of_private = matches!(self.place, Place::AndroidTop(dir) if dir.is_private());
        self.open && !self.private && !tree_of_private
    }

    /// Where it may take this by renaming.
    fn goes_to(&self, new: &Seen<'_>, replaced: Option<&Seen<'_>>) -> bool {
        if !(self.open && new.open) {
            return false;
        }
        if self.own_directory && new.own_directory {
            return true;
        }
        let shared = |place| match place {
            Place::Below { .. } => true,
            Place::AndroidPackage { dir, itself, .. } => dir == AndroidDir::Media && !itself,
            _ => false,
        };
        let to = shared(new.place);
        if self.what.kind == Kind::Directory {
            // Whatever is in it is asked about by itself.
            let from = !matches!(self.place, Place::Root | Place::Android | Place::AndroidTop(_));
            return from && to && !matches!(self.place, Place::Top { default: Some(_) }) && !self.private;
        }
        let leaves_private =
            matches!(self.place, Place::AndroidPackage { dir, .. } if dir != AndroidDir::Media);
        let fits = match new.place {
            Place::Below { default: Some(it) } => takes(it, new.what.path),
            Place::Below { default: None } => matches!(self.place, Place::Below { default: None }),
            _ => true,
        };
        to && fits && self.own_file && !leaves_private && replaced.is_none_or(Seen::is_own)
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn an_app_that_was_given_nothing_gets_no_more_than_this(caller in bare(), thing in thing(), to in thing()) {
        let (who, thing, to) = (caller.principal(), thing.without_grants(), to.without_grants());
        let seen = Seen::new(&who, thing.object());
        for op in operations() {
            let decision = decide(&who, &thing.object(), op);
            prop_assert!(seen.gets(op) || !decision.is_allowed(), "{op:?}: {decision:?}");
            if let Ok(grant) = decision.grant() {
                prop_assert!(grant.scope == ListScope::Filtered || seen.own_directory, "{op:?} shows all");
            }
        }
        let kind = thing.object().kind;
        let (name, there) = (Object { kind, ..to.name() }, Object { kind, ..to.object() });
        let (new, old) = (Seen::new(&who, name), Seen::new(&who, there));
        for replaced in [None, Some(&old)] {
            let op = Operation::Rename { to: name, replaced: replaced.map(|it| it.what) };
            let decision = decide(&who, &thing.object(), op);
            prop_assert!(seen.goes_to(&new, replaced) || !decision.is_allowed(), "{op:?}: {decision:?}");
            let unchecked = decision.grant().is_ok_and(|it| !it.check_children) && kind == Kind::Directory;
            prop_assert!(!unchecked || seen.own_directory && new.own_directory, "{op:?}: {decision:?}");
        }
        let along = Operation::MoveWithParent { to: name };
        let decision = decide(&who, &thing.object(), along);
        prop_assert!(seen.goes_to(&new, None) || !decision.is_allowed(), "{along:?}: {decision:?}");
    }
}
