// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The times that `diff -u` writes behind the names of files (git's apply.c): where they
//! begin, and whether they are the epoch, by which it says that a file is not there.

/// How many bytes at the end of `field` are a time, with the white space before it.
pub(super) fn length(field: &[u8]) -> usize {
    date_and_time(field).map_or(0, |rest| field.len() - rest.len())
}

/// What stands before the time.
fn date_and_time(field: &[u8]) -> Option<&[u8]> {
    if !field.last()?.is_ascii_digit() {
        return None;
    }
    let rest = zone(field);
    let rest = time(rest);
    let rest = date(rest)?;
    if let Some(rest) = rest.strip_suffix(b"\t") {
        return Some(rest);
    }
    // Blanks that a mail program made of the tab
    let blanks = rest.iter().rev().take_while(|byte| **byte == b' ').count();
    (blanks > 0).then(|| &rest[..rest.len() - blanks])
}

/// Whether the end of `text` has the shape of `form`, in which `0` is a digit and `+` a
/// sign; gives what stands before it.
fn without<'t>(text: &'t [u8], form: &[u8]) -> Option<&'t [u8]> {
    let at = text.len().checked_sub(form.len())?;
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b'+' => matches!(byte, b'+' | b'-'),
        _ => byte == form,
    };
    let end = &text[at..];
    end.iter().zip(form).all(fits).then(|| &text[..at])
}

fn zone(text: &[u8]) -> &[u8] {
    let zone = without(text, b" +0000");
    zone.or_else(|| without(text, b" +00:00")).unwrap_or(text)
}

fn time(text: &[u8]) -> &[u8] {
    const SHORT: &[u8] = b" 00:00:00";
    if let Some(rest) = without(text, SHORT) {
        return rest;
    }
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let fraction = text.len() - digits.count();
    let whole = text[..fraction].strip_suffix(b".").unwrap_or_default();
    let is_fraction = fraction < text.len();
    let rest = without(whole, SHORT).filter(|_| is_fraction);
    rest.unwrap_or(text)
}

fn date(text: &[u8]) -> Option<&[u8]> {
    let rest = without(text, b"00-00-00")?;
    Some(without(rest, b"00").unwrap_or(rest))
}

/// Whether the time behind the last tab of `field` is the epoch, wherever on earth.
pub(super) fn is_epoch(field: &[u8]) -> bool {
    epoch(field).is_some()
}

fn epoch(field: &[u8]) -> Option<()> {
    let time = &field[memchr::memrchr(b'\t', field)? + 1..];
    let (day, time) = time.split_at_checked("1970-01-01 ".len())?;
    let wanted = match day {
        b"1969-12-31 " => 24 * 60,
        b"1970-01-01 " => 0,
        _ => return None,
    };
    let (clock, zone) = time.split_at(memchr::memchr(b' ', time)?);
    (minutes(clock)? - away(zone)? == wanted).then_some(())
}

/// Minutes of the day in `19:41:00.000`.
fn minutes(clock: &[u8]) -> Option<i32> {
    let (clock, fraction) = clock.split_at_checked("19:41:00".len())?;
    let is_whole = match fraction.split_first() {
        None => true,
        Some((b'.', zeroes)) => !zeroes.is_empty() && zeroes.iter().all(|byte| *byte == b'0'),
        Some(_) => return None,
    };
    let [
        h1 @ b'0'..=b'2',
        h2,
        b':',
        m1 @ b'0'..=b'5',
        m2,
        b':',
        b'0',
        b'0',
    ] = clock
    else {
        return None;
    };
    is_whole.then_some(number(*h1, *h2)? * 60 + number(*m1, *m2)?)
}

/// Minutes east of Greenwich in ` +0530` or ` +05:30`.
fn away(zone: &[u8]) -> Option<i32> {
    let (sign, h1, h2, m1, m2) = match zone {
        [b' ', sign, h1, h2, b':', m1, m2] | [b' ', sign, h1, h2, m1, m2] => {
            (*sign, *h1, *h2, *m1, *m2)
        }
        _ => return None,
    };
    if h1 > b'2' || m1 > b'5' {
        return None;
    }
    let minutes = number(h1, h2)? * 60 + number(m1, m2)?;
    match sign {
        b'+' => Some(minutes),
        b'-' => Some(-minutes),
        _ => None,
    }
}

fn number(tens: u8, ones: u8) -> Option<i32> {
    let digit = |byte: u8| char::from(byte).to_digit(10);
    i32::try_from(digit(tens)? * 10 + digit(ones)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_all_shapes() {
        for time in [
            "\t2010-07-05 19:41:17",
            "\t2010-07-05 19:41:17 -0500",
            "\t2010-07-05 19:41:17.620000023 -05:00",
            "\t10-07-05",
            "   2010-07-05 19:41:17 +0000",
        ] {
            assert_eq!(
                length(format!("a/x{time}").as_bytes()),
                time.len(),
                "{time}"
            );
        }
        for none in ["a/x", "a/x-10-07-05", "a/2010", "\t2010-07-05 "] {
            assert_eq!(length(none.as_bytes()), 0, "{none}");
        }
        assert_eq!(length(b""), 0);
        // Only the tab before it is a part of it.
        assert_eq!(length(b"x\t\t2010-07-05"), 11);
    }

    #[test]
    fn the_epoch_is_the_same_everywhere() {
        for time in [
            "1970-01-01 00:00:00 +0000",
            "1970-01-01 00:00:00.000000000 +0000",
            "1970-01-01 05:30:00 +05:30",
            "1969-12-31 19:00:00 -0500",
        ] {
            assert!(is_epoch(format!("a/x\t{time}").as_bytes()), "{time}");
        }
        for time in [
            "1970-01-01 00:00:00.000000001 +0000",
            "1970-01-01 01:00:00 +0000",
            "1970-01-01 00:00:01 +0000",
            "1969-12-31 00:00:00 +0000",
            "1970-01-01",
            "1970-01-01 00:00:00",
            "2024-01-01 00:00:00 +0000",
        ] {
            assert!(!is_epoch(format!("a/x\t{time}").as_bytes()), "{time}");
        }
        assert!(!is_epoch(b"1970-01-01 00:00:00 +0000"));
    }
}
