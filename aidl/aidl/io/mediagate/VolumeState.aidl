package io.mediagate;

/** What becomes of a volume: the numbers of android.os.storage.VolumeInfo. */
@VintfStability
@Backing(type="int")
enum VolumeState {
    /** It is not mounted. */
    UNMOUNTED = 0,
    /** Its file system is being checked. */
    CHECKING = 1,
    /** It is mounted. */
    MOUNTED = 2,
    /** It is mounted and cannot be written to. */
    MOUNTED_READ_ONLY = 3,
    /** It is being formatted. */
    FORMATTING = 4,
    /** It is about to go. */
    EJECTING = 5,
    /** It cannot be mounted. */
    UNMOUNTABLE = 6,
    /** It is gone. */
    REMOVED = 7,
    /** It went without having been unmounted. */
    BAD_REMOVAL = 8,
}
