"""Records of runs: what was run, on what, with which result; verified, replayed and compared."""
