//! Numbers as Go parses them.

/// Parses an integer as `strconv.ParseInt(text, 10, 64)`: a sign perhaps, then digits only.
pub fn parse_int(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// Parses a double as `strconv.ParseFloat(text, 64)`: decimal or hexadecimal, `inf`, `infinity` and `nan` in any case (the
/// last without a sign), underscores between digits. A number too large for a double is none.
pub fn parse_double(text: &str) -> Option<f64> {
    if !underscores_are_sound(text.as_bytes()) {
        return None;
    }
    let digits = text.replace('_', "");
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(&digits);
    if let Some(hex) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let value = parse_hex(hex)?;
        return Some(if digits.starts_with('-') { -value } else { value });
    }
    let is_word = unsigned.starts_with(|c: char| c.is_ascii_alphabetic());
    let value: f64 = digits.parse().ok()?;
    // Go knows no signed NaN, and no underscore in a word.
    let refused = (value.is_nan() && unsigned.len() != digits.len())
        || (is_word && digits.len() != text.len())
        || (value.is_infinite() && !is_word);
    (!refused).then_some(value)
}

/// Underscores stand between digits, or between a base prefix and a digit.
fn underscores_are_sound(text: &[u8]) -> bool {
    let unsigned = text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"-")).unwrap_or(text);
    let is_hex = matches!(unsigned, [b'0', b'x' | b'X', ..]);
    let body = if is_hex { unsigned.get(2..).unwrap_or_default() } else { unsigned };
    let mut after_digit = is_hex;
    let mut after_underscore = false;
    for &byte in body {
        let is_digit = byte.is_ascii_digit() || (is_hex && byte.is_ascii_hexdigit());
        if (byte == b'_' && !after_digit) || (after_underscore && !is_digit) {
            return false;
        }
        after_digit = is_digit;
        after_underscore = byte == b'_';
    }
    !after_underscore
}

/// The number that stands behind `0x`: hexadecimal digits, a point perhaps, and an exponent of two, which Go requires. Rounded to
/// the nearest double, ties to even.
fn parse_hex(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    // Far beyond what a double can be; keeps the sums below from overflowing.
    let mut exponent = parse_exponent(exponent)?.clamp(-100_000, 100_000);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (mut bits, mut digits) = (0u64, 0usize);
    for (place, digit) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u64::from(digit.to_digit(16)?);
        digits += 1;
        if bits >> 60 == 0 {
            bits = bits << 4 | digit;
            exponent -= if place >= whole.len() { 4 } else { 0 };
        } else {
            // Digits beyond the 61st bit only tell whether the rest is zero.
            bits |= u64::from(digit != 0);
            exponent += if place < whole.len() { 4 } else { 0 };
        }
    }
    if digits == 0 {
        return None;
    }
    let value = scale(bits, exponent);
    value.is_finite().then_some(value)
}

/// A sign perhaps, then digits. More of them than fit count as very many.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<i64>().unwrap_or(i64::MAX);
    Some(if text.starts_with('-') { -size } else { size })
}

/// `bits × 2^exponent`, rounded once. The lowest bit stands for everything below it, too.
fn scale(bits: u64, exponent: i64) -> f64 {
    if bits == 0 {
        return 0.0;
    }
    let length = i64::from(64 - bits.leading_zeros());
    // The power of two of the lowest bit that the double has room for; no less than that of the smallest double.
    let lowest = (exponent + length - 53).max(-1074);
    let dropped = lowest - exponent;
    let kept = match u32::try_from(dropped) {
        Ok(0) => bits,
        Ok(dropped) if dropped > 64 => 0,
        Ok(dropped) => {
            let (wide, half) = (u128::from(bits), 1u128 << (dropped - 1));
            let (kept, rest) = (wide >> dropped, wide & ((half << 1) - 1));
            let up = rest > half || (rest == half && kept & 1 == 1);
            (kept + u128::from(up)) as u64
        }
        // Fewer bits than a double has: nothing to round.
        Err(_) => return bits as f64 * power_of_two(exponent),
    };
    let half = lowest / 2;
    kept as f64 * power_of_two(half) * power_of_two(lowest - half)
}

fn power_of_two(exponent: i64) -> f64 {
    let exponent = exponent.clamp(-1074, 1024) as i32;
    if exponent > 1000 { 2f64.powi(1000) * 2f64.powi(exponent - 1000) } else { 2f64.powi(exponent) }
}

#[cfg(test)]
mod tests;
