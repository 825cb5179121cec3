//! Which texts are keys.

use crate::StoreError;

/// etcd and the file system behind the file backend both bear this much.
const LONGEST: usize = 1024;

/// A key is a relative path: segments between single slashes, none empty, `.` or `..`, no control characters.
pub(crate) fn validate(key: &str) -> Result<(), StoreError> {
    let segments_are_sound = key.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if key.len() <= LONGEST && segments_are_sound && !key.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(StoreError::BadKey { key: key.to_owned() })
    }
}
