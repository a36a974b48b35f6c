package io.mediagate;

/** In what order. Files that are equal in it come by id. */
@VintfStability
@Backing(type="int")
enum MediaSort {
    /** By name, byte by byte. */
    NAME = 0,
    /** By when it was taken, or where the file does not tell, modified. */
    TAKEN = 1,
    /** By modification. */
    MODIFIED = 2,
    /** By when it was first indexed. */
    ADDED = 3,
    /** By size. */
    SIZE = 4,
    /** By title in any ASCII case; files without one behind the others, by name. */
    TITLE = 5,
    /** By the generation of the last change. */
    GENERATION = 6,
}
