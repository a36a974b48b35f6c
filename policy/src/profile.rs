//! Users and their profiles (mediaprovider.md §2.10): whose files are open to whom across users.
//!
//! A *full* user stands for a person. A *clone* profile holds second copies of a user's apps and shares the media with
//! that user, its parent. A *work* profile has its administrator, and shares nothing by path.

use crate::principal::UserId;

/// What kind of user a user is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UserKind {
    /// A person's own.
    #[default]
    Full,
    /// A profile that shares media with its parent (`isMediaSharedWithParent`).
    Clone {
        /// Whose profile it is.
        parent: UserId,
    },
    /// A managed profile (`isManagedProfile`).
    Work {
        /// Whose profile it is.
        parent: UserId,
    },
}

/// How a caller's user and the user of a tree belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserRelation {
    /// They are the same.
    Own,
    /// A clone profile and its parent, in either direction.
    SharesMedia,
    /// A work profile and its parent, in either direction.
    AcrossWork,
    /// Nothing connects them.
    Other,
}

/// What is special about users. Whoever is not spoken of is a full user without restrictions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profiles {
    kinds: Vec<(UserId, UserKind)>,
    closed_to_usb: Vec<UserId>,
}

impl Profiles {
    /// What kind of user this is.
    pub fn kind(&self, user: UserId) -> UserKind {
        self.kinds.iter().find(|(it, _)| *it == user).map_or(UserKind::Full, |(_, kind)| *kind)
    }

    /// The same with the restriction `DISALLOW_USB_FILE_TRANSFER` on a user (§2.11).
    #[must_use]
    pub fn without_usb_file_transfer(mut self, user: UserId) -> Profiles {
        self.closed_to_usb.push(user);
        self
    }

    /// The users whose files may not be moved over USB, which the shell is taken for: those of whom it was said, and
    /// the clone profiles among their relatives, whose media the parent's provider serves (§2.10).
    pub fn closed_to_usb(&self) -> Vec<UserId> {
        let clones = self.users().filter(|user| match self.kind(*user) {
            UserKind::Clone { parent } => self.closed_to_usb.contains(&parent),
            UserKind::Full | UserKind::Work { .. } => false,
        });
        self.closed_to_usb.iter().copied().chain(clones).collect()
    }

    /// How the user of a caller and the user of a tree belong together. Profiles of one parent are nothing to each
    /// other, and a parent that is a profile itself shares nothing.
    pub fn relation(&self, caller: UserId, tree: UserId) -> UserRelation {
        if caller == tree {
            return UserRelation::Own;
        }
        let of_pair = |profile: UserId, parent: UserId| match self.kind(profile) {
            UserKind::Clone { parent: its } if its == parent && self.kind(parent) == UserKind::Full => {
                Some(UserRelation::SharesMedia)
            }
            UserKind::Work { parent: its } if its == parent => Some(UserRelation::AcrossWork),
            UserKind::Full | UserKind::Clone { .. } | UserKind::Work { .. } => None,
        };
        of_pair(caller, tree).or_else(|| of_pair(tree, caller)).unwrap_or(UserRelation::Other)
    }

    /// All users to whom `user` is neither [`UserRelation::Own`] nor [`UserRelation::Other`].
    pub fn relatives(&self, user: UserId) -> Vec<(UserId, UserRelation)> {
        let profiles = self.kinds.iter().map(|(profile, _)| *profile);
        let parents = self.kinds.iter().filter_map(|(_, kind)| match kind {
            UserKind::Full => None,
            UserKind::Clone { parent } | UserKind::Work { parent } => Some(*parent),
        });
        let mut relatives = Vec::new();
        for other in profiles.chain(parents) {
            let relation = self.relation(user, other);
            if matches!(relation, UserRelation::SharesMedia | UserRelation::AcrossWork)
                && !relatives.contains(&(other, relation))
            {
                relatives.push((other, relation));
            }
        }
        relatives
    }

    /// Every user that is spoken of.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        self.kinds.iter().map(|(user, _)| *user)
    }
}

impl FromIterator<(UserId, UserKind)> for Profiles {
    fn from_iter<T: IntoIterator<Item = (UserId, UserKind)>>(users: T) -> Profiles {
        Profiles { kinds: users.into_iter().collect(), closed_to_usb: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: UserId = UserId(0);
    const SECOND: UserId = UserId(10);
    const CLONE: UserId = UserId(11);
    const WORK: UserId = UserId(12);
    const TWIN: UserId = UserId(13);
    const NESTED: UserId = UserId(14);

    fn profiles() -> Profiles {
        [
            (SECOND, UserKind::Full),
            (CLONE, UserKind::Clone { parent: MAIN }),
            (WORK, UserKind::Work { parent: MAIN }),
            (TWIN, UserKind::Clone { parent: MAIN }),
            (NESTED, UserKind::Clone { parent: WORK }),
        ]
        .into_iter()
        .collect()
    }

    #[test]
    fn only_clones_and_their_parents_share() {
        let profiles = profiles();
        for (a, b, relation) in [
            (MAIN, CLONE, UserRelation::SharesMedia),
            (MAIN, TWIN, UserRelation::SharesMedia),
            (MAIN, WORK, UserRelation::AcrossWork),
            (MAIN, SECOND, UserRelation::Other),
            (CLONE, TWIN, UserRelation::Other),
            (CLONE, WORK, UserRelation::Other),
            (CLONE, SECOND, UserRelation::Other),
            (NESTED, WORK, UserRelation::Other),
            (NESTED, MAIN, UserRelation::Other),
            (UserId(99), UserId(98), UserRelation::Other),
        ] {
            assert_eq!(profiles.relation(a, b), relation, "{a:?} {b:?}");
            assert_eq!(profiles.relation(b, a), relation, "{b:?} {a:?}");
        }
        for user in [MAIN, SECOND, CLONE, WORK, UserId(99)] {
            assert_eq!(profiles.relation(user, user), UserRelation::Own);
        }
    }

    #[test]
    fn usb_is_closed_user_by_user() {
        assert_eq!(profiles().closed_to_usb(), []);
        assert_eq!(profiles().without_usb_file_transfer(SECOND).closed_to_usb(), [SECOND]);
        // A parent's restriction is its clones', a clone's its own.
        let main = profiles().without_usb_file_transfer(MAIN);
        assert_eq!(main.closed_to_usb(), [MAIN, CLONE, TWIN]);
        assert_eq!(profiles().without_usb_file_transfer(CLONE).closed_to_usb(), [CLONE]);
    }

    #[test]
    fn relatives_are_those_of_the_relation() {
        let profiles = profiles();
        assert_eq!(
            profiles.relatives(MAIN),
            [
                (CLONE, UserRelation::SharesMedia),
                (WORK, UserRelation::AcrossWork),
                (TWIN, UserRelation::SharesMedia)
            ]
        );
        assert_eq!(profiles.relatives(CLONE), [(MAIN, UserRelation::SharesMedia)]);
        assert_eq!(profiles.relatives(WORK), [(MAIN, UserRelation::AcrossWork)]);
        assert_eq!(profiles.relatives(SECOND), []);
        assert_eq!(Profiles::default().relatives(MAIN), []);
        assert_eq!(profiles.users().collect::<Vec<_>>(), [SECOND, CLONE, WORK, TWIN, NESTED]);
    }
}
