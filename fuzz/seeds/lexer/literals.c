/* a comment */ int x = 'a' + '\'' + 0x1.fp3; // and a line \
that goes on
char *s = L"a \" b" u8"c" "never closed
#define PASTE(a, b) a ## b /* in a \
directive */
x = 9p_client_req ? 1 : .5e+3; @$`\
