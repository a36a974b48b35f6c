package io.mediagate;

import io.mediagate.AppOp;
import io.mediagate.TriState;

/** A package as its installer describes it. */
@VintfStability
parcelable PackageSpec {
    /** Package name. */
    String name;
    /** App id: the uid in a user is user * 100000 + appId. Packages that share a uid have the same app id. */
    int appId;
    /** Users it is installed for; empty: user 0. */
    int[] users;
    /** Target SDK level. */
    int targetSdk = 34;
    /** Granted permissions, with or without "android.permission.". */
    String[] permissions;
    /** App ops whose mode is set. */
    AppOp[] appOps;
    /** requestLegacyExternalStorage of the manifest. */
    boolean requestLegacyStorage = false;
    /** requestRawExternalStorageAccess of the manifest. */
    TriState requestRawAccess = TriState.UNSPECIFIED;
    /** The compat changes DEFAULT_SCOPED_STORAGE and FORCE_ENABLE_SCOPED_STORAGE, where both are set alike for it. */
    TriState scopedStorage = TriState.UNSPECIFIED;
    /** Whether other packages may have the same uid. */
    boolean sharedUid = false;
    /** Whether it is an instant app, which has no shared storage. */
    boolean instant = false;
}
