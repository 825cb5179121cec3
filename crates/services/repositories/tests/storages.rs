//! One suite for all storages: what repositories promise, whatever holds their bytes.

mod conformance;
