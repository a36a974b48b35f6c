package io.mediagate;

/** What files are counted by. */
@VintfStability
@Backing(type="int")
enum MediaGrouping {
    /** Their directories. */
    BUCKET = 0,
    /** Their albums. */
    ALBUM = 1,
    /** Their artists. */
    ARTIST = 2,
    /** Their genres. */
    GENRE = 3,
}
