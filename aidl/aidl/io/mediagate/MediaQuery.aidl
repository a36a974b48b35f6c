package io.mediagate;

import io.mediagate.MediaMatch;
import io.mediagate.MediaRange;
import io.mediagate.MediaSort;
import io.mediagate.MediaType;

/** Which files, in what order. As it is: everything published and not in the trash in the caller's user, by name. */
@VintfStability
parcelable MediaQuery {
    /** Name of a volume; null: all. */
    @nullable String volume;
    /** Whose tree on emulated volumes: a user; -1: the caller's, for root all. */
    int user = -1;
    /** In this directory, from the user's root; null: anywhere. */
    @nullable byte[] directory;
    /** And below it. */
    boolean tree = false;
    /** In the directory of this bucket id; 0: anywhere. Not together with a directory. */
    long bucket = 0;
    /** Of these types; empty: all. */
    MediaType[] types;
    /** Whose MIME type begins with this, in any ASCII case. */
    @nullable String mimePrefix;
    /** Owned by this package. Who is not told the owners of files finds only its own packages' this way. */
    @nullable String owner;
    /** Favourites. */
    MediaMatch favorite = MediaMatch.INCLUDE;
    /** Files that are not published yet. */
    MediaMatch pending = MediaMatch.EXCLUDE;
    /** Files in the trash. */
    MediaMatch trashed = MediaMatch.EXCLUDE;
    /** These only; null: all. At most 20000. */
    @nullable long[] ids;
    /** Changed after this generation; 0: whenever. */
    long changedSince = 0;
    /** Taken (or where the file does not tell, modified) in this time, in milliseconds since 1970. */
    @nullable MediaRange takenMillis;
    /** Modified in this time, in nanoseconds since 1970. */
    @nullable MediaRange modifiedNanos;
    /** Whose name contains this, in any ASCII case. */
    @nullable byte[] nameContains;
    /** On this album. */
    @nullable String album;
    /** By this artist. */
    @nullable String artist;
    /** Of this genre. */
    @nullable String genre;
    /** In what order. */
    MediaSort sort = MediaSort.NAME;
    /** The largest first. */
    boolean descending = false;
    /** So many at most in one answer, which may have fewer; 0: as many as fit. */
    int limit = 0;
    /** Where the answer before this one ended (MediaPage.next); null: from the beginning. */
    @nullable byte[] after;
    /** With what the files say of themselves. */
    boolean details = false;
}
