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
    /** Creating a file that is not there. */
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
    /** Reading attributes of something already found. */
    GETATTR = 9,
    /** access(2) with F_OK. */
    ACCESS_F = 10,
    /** access(2) with R_OK. */
    ACCESS_R = 11,
    /** access(2) with W_OK. */
    ACCESS_W = 12,
    /** access(2) with X_OK. */
    ACCESS_X = 13,
    /** Truncating, setting times, mode or owner by path. */
    SETATTR = 14,
    /** Creating a file without opening it. */
    MKNOD = 15,
    /** Making a symbolic link of this name. */
    SYMLINK = 16,
    /** Making a hard link of this name. */
    LINK = 17,
    /** Reading an extended attribute. */
    GETXATTR = 18,
    /** Writing an extended attribute. */
    SETXATTR = 19,
    /** Listing extended attributes. */
    LISTXATTR = 20,
    /** Removing an extended attribute. */
    REMOVEXATTR = 21,
}
