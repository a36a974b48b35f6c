//! Requests in flight.
