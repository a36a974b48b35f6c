package io.mediagate;

import io.mediagate.ChangeNotice;

/** What waited for an observer. */
@VintfStability
parcelable ChangeBatch {
    /** The changes, oldest first. */
    ChangeNotice[] changes;
    /** How many changes were left out; for them a notice MANY stands among the changes. */
    long missed;
}
