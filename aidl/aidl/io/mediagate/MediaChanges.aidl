package io.mediagate;

import io.mediagate.TriState;

/** Changes to files; what is null or UNSPECIFIED stays. */
@VintfStability
parcelable MediaChanges {
    /** A new name. */
    @nullable byte[] displayName;
    /** Another directory on the same volume, from the user's root, made if missing. */
    @nullable byte[] relativePath;
    /** NO publishes it; YES takes it back. */
    TriState pending = TriState.UNSPECIFIED;
    /** YES puts it in the trash for 30 days; NO takes it out. */
    TriState trashed = TriState.UNSPECIFIED;
    /** A favourite, or not. */
    TriState favorite = TriState.UNSPECIFIED;
}
