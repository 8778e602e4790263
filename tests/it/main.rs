//! All black-box tests, in one binary, so that they are linked once.
#![cfg(test)]

mod fakes;
mod tidy;
