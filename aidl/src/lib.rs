//! The binder interface of mediagate.
