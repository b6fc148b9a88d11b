int y; /* it never ends #define X 1
"a string"
