//! The Lambda extension, against the platform by script and against AWS's own emulator. The platform's own tests are in `fake`.

mod fake;
