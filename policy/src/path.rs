//! Path classes (mediaprovider.md §2.3). Names are bytes, and all well-known ones are matched in one way: [`is_well_known`].

/// The twelve default directories of a volume root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the directory of its name")]
pub enum DefaultDir {
    Alarms,
    Audiobooks,
    Dcim,
    Documents,
    Download,
    Movies,
    Music,
    Notifications,
    Pictures,
    Podcasts,
    Recordings,
    Ringtones,
}

impl DefaultDir {
    /// All twelve.
    pub const ALL: [DefaultDir; 12] = [
        DefaultDir::Alarms,
        DefaultDir::Audiobooks,
        DefaultDir::Dcim,
        DefaultDir::Documents,
        DefaultDir::Download,
        DefaultDir::Movies,
        DefaultDir::Music,
        DefaultDir::Notifications,
        DefaultDir::Pictures,
        DefaultDir::Podcasts,
        DefaultDir::Recordings,
        DefaultDir::Ringtones,
    ];

    /// The directory's name as it is created.
    pub const fn name(self) -> &'static str {
        match self {
            DefaultDir::Alarms => "Alarms",
            DefaultDir::Audiobooks => "Audiobooks",
            DefaultDir::Dcim => "DCIM",
            DefaultDir::Documents => "Documents",
            DefaultDir::Download => "Download",
            DefaultDir::Movies => "Movies",
            DefaultDir::Music => "Music",
            DefaultDir::Notifications => "Notifications",
            DefaultDir::Pictures => "Pictures",
            DefaultDir::Podcasts => "Podcasts",
            DefaultDir::Recordings => "Recordings",
            DefaultDir::Ringtones => "Ringtones",
        }
    }

    /// The default directory of this name, in any spelling that a case-folding file system takes for it.
    pub fn from_name(name: &[u8]) -> Option<DefaultDir> {
        Self::ALL.into_iter().find(|dir| is_well_known(name, dir.name()))
    }
}

/// The directories below `Android/` that have a subdirectory for each package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the directory of its name")]
pub enum AndroidDir {
    Data,
    Media,
    Obb,
    Sandbox,
}

impl AndroidDir {
    /// All four.
    pub const ALL: [AndroidDir; 4] =
        [AndroidDir::Data, AndroidDir::Media, AndroidDir::Obb, AndroidDir::Sandbox];

    /// The directory's name as it is created.
    pub const fn name(self) -> &'static str {
        match self {
            AndroidDir::Data => "data",
            AndroidDir::Media => "media",
            AndroidDir::Obb => "obb",
            AndroidDir::Sandbox => "sandbox",
        }
    }

    /// The directory of this name, in any spelling that a case-folding file system takes for it.
    pub fn from_name(name: &[u8]) -> Option<AndroidDir> {
        Self::ALL.into_iter().find(|dir| is_well_known(name, dir.name()))
    }

    /// `Android/data` and `Android/obb`: private to the package, invisible to others.
    pub const fn is_private(self) -> bool {
        matches!(self, AndroidDir::Data | AndroidDir::Obb)
    }
}

/// Where a path is on its volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place<'a> {
    /// The volume root itself.
    Root,
    /// A name directly in the volume root; `default` if it is one of the twelve.
    Top {
        /// Which default directory it names, if any.
        default: Option<DefaultDir>,
    },
    /// Below a top-level name.
    Below {
        /// Which default directory it is below, if any.
        default: Option<DefaultDir>,
    },
    /// `Android` itself.
    Android,
    /// `Android/data`, `Android/media`, `Android/obb` or `Android/sandbox` itself.
    AndroidTop(AndroidDir),
    /// `Android/<dir>/<package>` or below it.
    AndroidPackage {
        /// Which of the directories.
        dir: AndroidDir,
        /// The package directory's name, as spelt.
        package: &'a [u8],
        /// True for the package directory itself.
        itself: bool,
    },
    /// Anything else below `Android/`.
    AndroidOther,
}

impl<'a> Place<'a> {
    /// Classifies a path (see [`crate::Object::path`] for its form).
    pub fn of(path: &'a [u8]) -> Place<'a> {
        if path.is_empty() {
            return Place::Root;
        }
        let mut components = path.splitn(4, |byte| *byte == b'/');
        let top = components.next().unwrap_or_default();
        let second = components.next();
        if !is_well_known(top, "Android") {
            let default = DefaultDir::from_name(top);
            return if second.is_some() { Place::Below { default } } else { Place::Top { default } };
        }
        let Some(second) = second else { return Place::Android };
        let Some(dir) = AndroidDir::from_name(second) else { return Place::AndroidOther };
        let Some(package) = components.next() else { return Place::AndroidTop(dir) };
        Place::AndroidPackage { dir, package, itself: components.next().is_none() }
    }
}

/// The service's own directory in a volume root, which apps never see into.
pub(crate) const TRANSFORMS: &str = ".transforms";

/// True where callers of one user differ in whether a name is there for them, so that nobody may be told what another one
/// was answered: below the packages' private directories, and below `.transforms`, where only root looks around. (An instant
/// app differs from the others everywhere, and so do callers of different users.)
pub fn name_depends_on_caller(path: &[u8]) -> bool {
    if let Some(mut below) = below_service_directory(path) {
        return below.next().is_some_and(|name| !is_well_known(name, SYNTHETIC));
    }
    matches!(Place::of(path), Place::AndroidPackage { dir, itself: false, .. } if dir.is_private())
}

/// In [`TRANSFORMS`], what everybody may look up.
const SYNTHETIC: &str = "synthetic";

/// What is in [`SYNTHETIC`], where files have names that are not their own.
pub(crate) fn is_synthetic(path: &[u8]) -> bool {
    let Some(mut below) = below_service_directory(path) else { return false };
    below.next().is_some_and(|name| is_well_known(name, SYNTHETIC)) && below.next().is_some()
}

/// [`TRANSFORMS`] or below: the components that follow it.
pub(crate) fn below_service_directory(path: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let mut components = path.split(|byte| *byte == b'/');
    is_well_known(components.next().unwrap_or_default(), TRANSFORMS).then_some(components)
}

/// The last component of a path.
pub(crate) fn last_component(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// True when a case-folding lower file system would resolve `component` to the ASCII name `well_known`.
///
/// The kernel's `utf8n` folding (`fs/unicode`) drops code points that are ignorable by default and folds two
/// non-ASCII letters to ASCII ones, so `Andro<ZWJ>id` names `Android`: comparing ASCII case alone would let such
/// a spelling around every rule about `Android/data`. The original compares with Java's `equalsIgnoreCase`, which knows
/// the two letters (and two i's that no file system folds to an ASCII one) but nothing of what is ignorable.
pub(crate) fn is_well_known(component: &[u8], well_known: &str) -> bool {
    if component.is_ascii() {
        return component.eq_ignore_ascii_case(well_known.as_bytes());
    }
    let Ok(component) = std::str::from_utf8(component) else { return false };
    let folded = component.chars().filter(|it| !is_ignorable(*it)).map(|it| match it {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        _ => it.to_ascii_lowercase(),
    });
    folded.eq(well_known.chars().map(|it| it.to_ascii_lowercase()))
}

/// `Default_Ignorable_Code_Point` of the Unicode character database.
const fn is_ignorable(it: char) -> bool {
    matches!(it,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests;
