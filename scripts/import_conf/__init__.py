"""What secd-import-conf is made of: three readers (nsd, knot, bind), one model, one writer."""
