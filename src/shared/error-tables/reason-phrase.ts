/**
 * A reason inside a message, as the code writes it, and in Chinese. `{name}` stands for any text, which is kept; what `{name*}` stands for is
 * itself a reason, or a word of this table, and is put into Chinese when it is known.
 */
export type ReasonPhrase = readonly [english: string, chinese: string]
