package io.mediagate;

import io.mediagate.VolumeKind;

/** A volume to attach. */
@VintfStability
parcelable VolumeSpec {
    /** Name: lower-case letters, digits, '_', '-' and '.'. */
    String name;
    /** Emulated or public. */
    VolumeKind kind = VolumeKind.EMULATED;
    /** Absolute path of the lower directory, which holds the files. */
    byte[] lower;
    /** Absolute path of the mount point. */
    byte[] mount;
    /** Users served, for emulated volumes; empty: user 0. */
    int[] users;
    /** "user:group" (names or numbers) that own new lower files; null: the owner of the lower directory. */
    @nullable String owner;
    /** Whether approved opens are handed to the kernel. */
    boolean passthrough = true;
    /**
     * How many seconds the kernel may trust names and attributes: 0 never, -1 for ever; -2: for ever while the lower
     * directory is watched, else 1.
     */
    int cacheSeconds = -2;
    /** How changes behind the mount are noticed: "auto", "fanotify", "inotify" or "off". */
    String watch = "auto";
}
