/** The first text frame of a connection; nothing may come before it: clients wait for exactly this. */
export const passwordPrompt = "Password: "
/** Behind the right password. A constant: it does not mean that the board is at a prompt. */
export const loggedIn = "\r\nWebREPL connected\r\n>>> "
/** Behind a wrong one. */
export const accessDenied = "\r\nAccess denied\r\n"
