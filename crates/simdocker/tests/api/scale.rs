//! A thousand hosts with fifty clusters of four peers, in one process, with few descriptors.
