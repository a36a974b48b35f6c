package io.mediagate;

import io.mediagate.ChangeNotice;

/** Hears of changes of files that its process may see. */
@VintfStability
oneway interface IMediaObserver {
    /**
     * Something changed. "missed" counts the changes that were left out since the last call because the observer was
     * slow: for them a notice MANY stands among the changes.
     */
    void onChanged(in ChangeNotice[] changes, long missed);
}
