use confmap::{Diagnostics, Node};

use super::*;
