package io.mediagate;

import io.mediagate.VolumeKind;

/** An attached volume. */
@VintfStability
parcelable VolumeStatus {
    /** Name. */
    String name;
    /** Emulated or public. */
    VolumeKind kind = VolumeKind.EMULATED;
    /** Lower directory. */
    byte[] lower;
    /** Mount point. */
    byte[] mount;
    /** Users served; empty for public volumes: all. */
    int[] users;
    /** The kind of passthrough in use, or "off: " and why. */
    String passthrough;
    /** What watches the lower directory: "fanotify", "inotify", or "off: " and why. */
    String watch;
    /** Whether the lower file system keeps extended attributes. */
    boolean xattrs;
    /** Whether the index has caught up with the lower tree since attaching. */
    boolean indexed;
    /** Whether the last scan of the volume found no file at all although the index knows some, and left its rows alone. */
    boolean emptied;
}
