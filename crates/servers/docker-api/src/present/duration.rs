//! Durations in Docker's words: `About a minute`.

/// The words for so many seconds.
pub(crate) fn words(seconds: i64) -> String {
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    match () {
        () if seconds < 1 => "Less than a second".into(),
        () if seconds == 1 => "1 second".into(),
        () if seconds < 60 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".into(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".into(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        () if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", seconds / 3600 / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn durations_have_dockers_words() {
        let (minute, hour) = (60, 3600);
        let day = 24 * hour;
        for (seconds, expected) in [
            (-5, "Less than a second"),
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (minute, "About a minute"),
            (2 * minute - 1, "About a minute"),
            (45 * minute, "45 minutes"),
            (hour, "About an hour"),
            (hour + 31 * minute, "2 hours"),
            (47 * hour, "47 hours"),
            (3 * day, "3 days"),
            (15 * day, "2 weeks"),
            (90 * day, "3 months"),
            (800 * day, "2 years"),
        ] {
            assert_eq!(words(seconds), expected, "{seconds}");
        }
    }
}
