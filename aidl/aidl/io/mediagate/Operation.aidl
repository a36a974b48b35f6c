package io.mediagate;

/** An operation that explain can be asked about. */
@VintfStability
@Backing(type="int")
enum Operation {
    /** Finding the name. */
    LOOKUP = 0,
    /** Opening a file for reading. */
    READ = 1,
    /** Opening a file for writing. */
    WRITE = 2,
    /** Creating a file. */
    CREATE = 3,
    /** Creating a directory. */
    MKDIR = 4,
    /** Removing a directory. */
    RMDIR = 5,
    /** Listing a directory. */
    LIST = 6,
    /** Removing a file. */
    DELETE = 7,
    /** Renaming; the request has the new name too. */
    RENAME = 8,
}
