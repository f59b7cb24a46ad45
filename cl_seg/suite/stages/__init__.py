"""One stage each: from the files of the stages before it to its own, by kind."""
