/// Reads a name that is nowhere.
fn shifted(x) = x - offset;
