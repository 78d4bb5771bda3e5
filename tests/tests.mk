# How the tests are built and run; included by the Makefile.
