/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The account: an append-only, hash-chained, signed record of accesses.
 *
 * Owns: the interface to write, read and check it. The format is described for
 * others in Documentation/userspace-api/trustgate-account.rst.
 *
 * Must not own: what an entry means, or where entries come from.
 *
 * Times are nanoseconds, realtime since 1970 and boottime since the boot. Errors
 * are negative errnos, with a sentence that names the cause and the cure in a
 * text of ACCOUNT_ERROR_SIZE bytes. Nothing here has threads or global state: an
 * object is used by one thread at a time. Nothing waits for anything but the
 * account's own files.
 */
#ifndef _TRUSTGATE_ACCOUNT_H
#define _TRUSTGATE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCOUNT_FILE		"/var/lib/trusteed/account.db"
#define ACCOUNT_KEY_FILE	"/var/lib/trusteed/account.key"

#define ACCOUNT_FORMAT		1
#define ACCOUNT_ID_SIZE		16
#define ACCOUNT_HASH_SIZE	32
#define ACCOUNT_KEY_SIZE	32
#define ACCOUNT_SIGNATURE_SIZE	64
#define ACCOUNT_KIND_MAX	32
#define ACCOUNT_BODY_MAX	65536
#define ACCOUNT_ERROR_SIZE	512
/* The kind of the entry after which the kernel's numbers begin anew. */
#define ACCOUNT_KIND_LOADED	"gate-loaded"
/* Largest count that every JSON reader keeps exactly: 2^53 - 1. */
#define ACCOUNT_COUNT_MAX	((UINT64_C(1) << 53) - 1)
#define ACCOUNT_TIME_MAX	((uint64_t)INT64_MAX)
/* Ends with a NUL byte: "trustgate-account-head:1:..." with all fields. */
#define ACCOUNT_HEAD_SIZE	384

/**
 * struct account_entry - one entry
 * @seq: 1 is the first, the genesis; there are no gaps
 * @boot_id: of the boot in which it was written
 * @realtime_ns: CLOCK_REALTIME; for account_append() 0 is now
 * @boottime_ns: CLOCK_BOOTTIME; for account_append() 0 is now
 * @kind: letters a-z, digits and dashes, at most ACCOUNT_KIND_MAX
 * @kernel: it is an event of the kernel, and the next two are valid
 * @kernel_seq: the kernel's number of the event
 * @kernel_missed: how many events are known to be lost between the kernel's
 *	event that was recorded before it in this boot and this one
 * @body: canonical JSON object, see account_body_check()
 * @body_size: bytes of @body, without a NUL byte
 * @previous: hash of the entry before it, zeros for the first
 * @hash: account_entry_hash() of all this
 *
 * account_append() sets @seq, @boot_id, @previous and @hash itself.
 */
struct account_entry {
	uint64_t seq;
	uint8_t boot_id[ACCOUNT_ID_SIZE];
	uint64_t realtime_ns;
	uint64_t boottime_ns;
	const char *kind;
	bool kernel;
	uint64_t kernel_seq;
	uint64_t kernel_missed;
	const char *body;
	size_t body_size;
	uint8_t previous[ACCOUNT_HASH_SIZE];
	uint8_t hash[ACCOUNT_HASH_SIZE];
};

/**
 * struct account_head - a signed statement of what an account holds
 * @store: which account
 * @seq: the last entry that it covers
 * @hash: of that entry, and so of all before it
 * @realtime_ns: when it was signed
 * @signature: Ed25519 over account_head_message()
 */
struct account_head {
	uint8_t store[ACCOUNT_ID_SIZE];
	uint64_t seq;
	uint8_t hash[ACCOUNT_HASH_SIZE];
	uint64_t realtime_ns;
	uint8_t signature[ACCOUNT_SIGNATURE_SIZE];
};

/* ---- account_chain.c: pure encoding ---- */

/**
 * account_entry_hash() - the hash of an entry
 * @store: which account it belongs to
 * @entry: all but @hash is read
 * @hash: receives it
 *
 * Return: 0, or -EIO if libcrypto fails.
 */
int account_entry_hash(const uint8_t store[ACCOUNT_ID_SIZE], const struct account_entry *entry,
		       uint8_t hash[ACCOUNT_HASH_SIZE]);

#define ACCOUNT_HEAD_MESSAGE_SIZE 256

/**
 * account_head_message() - the bytes that a head's signature is over
 * @head: all but @signature is read
 * @message: receives them
 *
 * Return: how many bytes.
 */
size_t account_head_message(const struct account_head *head,
			    uint8_t message[ACCOUNT_HEAD_MESSAGE_SIZE]);

/**
 * account_head_format() - a head as one line without spaces
 * @head: a head
 * @line: receives the text, without a line end
 */
void account_head_format(const struct account_head *head, char line[ACCOUNT_HEAD_SIZE]);

/**
 * account_head_parse() - read what account_head_format() has written
 * @line: the text; one line end is allowed
 * @head: receives the head; its signature is not checked
 *
 * Return: 0 or -EINVAL.
 */
int account_head_parse(const char *line, struct account_head *head);

/**
 * account_hex() - bytes as hexadecimal digits
 * @bytes: the bytes
 * @size: how many
 * @text: receives 2 * @size digits and a NUL byte
 *
 * Return: @text.
 */
char *account_hex(const uint8_t *bytes, size_t size, char *text);

/**
 * account_genesis_body() - the only body that the first entry may have
 * @store: which account
 * @key: public key that signs it
 * @body: receives it, with a NUL byte
 */
#define ACCOUNT_GENESIS_SIZE 192
void account_genesis_body(const uint8_t store[ACCOUNT_ID_SIZE], const uint8_t key[ACCOUNT_KEY_SIZE],
			  char body[ACCOUNT_GENESIS_SIZE]);

/* ---- account_body.c ---- */

/**
 * account_body_check() - is this a JSON object in the one form that is allowed?
 * @body: the text
 * @size: its bytes
 *
 * No spaces; keys in strictly ascending order of their bytes; whole numbers
 * between -(2^53 - 1) and 2^53 - 1 and no others; strings are UTF-8 in which only
 * quotes, backslashes and control characters are escaped, in their short form if
 * they have one.
 *
 * Return: 0, -EINVAL, or -E2BIG if longer than ACCOUNT_BODY_MAX.
 */
int account_body_check(const char *body, size_t size);

/**
 * account_kind_check() - is this the name of a kind?
 * @kind: the text
 *
 * Return: 0 or -EINVAL.
 */
int account_kind_check(const char *kind);

/* ---- account_sign.c ---- */

struct account_key;

/**
 * account_key_load() - load the private key, or make it
 * @path: of a PEM file that must belong to this user with mode 0600
 * @make: make it if there is none; it is on disk when the function returns
 * @ret: receives the key, which the caller frees
 * @error: receives a sentence if it fails
 *
 * Return: 0, -ENOENT if there is none and @make is false, -EPERM if others might
 * have read it, -EBADMSG if it is no Ed25519 key, or another error.
 */
int account_key_load(const char *path, bool make, struct account_key **ret,
		     char error[ACCOUNT_ERROR_SIZE]);

/**
 * account_key_free() - free a key
 * @key: may be NULL
 */
void account_key_free(struct account_key *key);

/**
 * account_key_public() - the public half
 * @key: a key
 *
 * Return: ACCOUNT_KEY_SIZE bytes, valid as long as @key.
 */
const uint8_t *account_key_public(const struct account_key *key);

/**
 * account_key_sign() - sign a head
 * @key: a key
 * @head: its @signature is set
 *
 * Return: 0 or -EIO.
 */
int account_key_sign(const struct account_key *key, struct account_head *head);

/**
 * account_head_good() - does this key stand for this head?
 * @public: the public key
 * @head: a head
 */
bool account_head_good(const uint8_t public[ACCOUNT_KEY_SIZE], const struct account_head *head);

/**
 * account_public_load() - read a public key from a PEM file
 * @path: the file
 * @public: receives it
 * @error: receives a sentence if it fails
 *
 * Return: 0 or an error; -EBADMSG if it is no Ed25519 public key.
 */
int account_public_load(const char *path, uint8_t public[ACCOUNT_KEY_SIZE],
			char error[ACCOUNT_ERROR_SIZE]);

/**
 * account_public_pem() - a public key as PEM
 * @public: the key
 *
 * Return: a text that the caller frees; NULL without memory.
 */
char *account_public_pem(const uint8_t public[ACCOUNT_KEY_SIZE]);

/* ---- account_write.c ---- */

struct account;

/**
 * struct account_options - how an account is kept; zeros are the defaults
 * @checkpoint_entries: sign after so many entries; 0 is 256
 * @checkpoint_ns: sign at the first append so long after the last signature;
 *	0 is a minute
 * @max_bytes: let the file not grow beyond this; 0 is no limit
 * @boot_id: of this boot, NULL to ask the kernel
 * @wait_ms: wait for readers at most so long; 0 is two seconds
 */
struct account_options {
	uint64_t checkpoint_entries;
	uint64_t checkpoint_ns;
	uint64_t max_bytes;
	const uint8_t *boot_id;
	unsigned int wait_ms;
};

/**
 * account_open() - open the account to write, and make it at the first time
 * @path: its file; the directory must exist
 * @key_path: the file of the private key
 * @options: may be NULL
 * @ret: receives the account, which the caller closes
 * @error: receives a sentence if it fails
 *
 * What a crash has left half done is rolled back.
 *
 * Return: 0; -EBUSY if it is open for writing elsewhere; -EBADMSG if it is
 * damaged, or shorter than what was signed; -EPROTONOSUPPORT if its format is
 * not known; -EKEYREJECTED or -ENOKEY if the key is another one or is missing;
 * -ENOSPC; or another error.
 */
int account_open(const char *path, const char *key_path, const struct account_options *options,
		 struct account **ret, char error[ACCOUNT_ERROR_SIZE]);

/**
 * account_append() - append entries, all or none
 * @account: an account
 * @entries: the entries, in their order; what is set by the account is written
 *	back to them if it succeeds
 * @count: how many
 *
 * When it returns 0 the entries are on disk, whatever happens next. After an
 * error none of them counts as recorded, and the call may be repeated. After an
 * I/O error while the disk finishes the write they may be there all the same;
 * then they are there whole, and appear twice if the call is repeated.
 *
 * Waits for readers, see struct account_options and account_set_wait().
 *
 * Return: 0; -EINVAL or -E2BIG for an entry that cannot be recorded; -EBUSY if a
 * reader kept it locked; -ENOSPC if the disk, or @max_bytes, is full; -EBADMSG
 * if the file is damaged; or another error. account_error() has the sentence.
 */
int account_append(struct account *account, struct account_entry *entries, size_t count);

/**
 * account_set_wait() - how long readers are waited for from now on
 * @account: an account
 * @wait_ms: milliseconds; 0 is two seconds
 */
void account_set_wait(struct account *account, unsigned int wait_ms);

/**
 * account_checkpoint() - sign the last entry, unless that is done
 * @account: an account
 *
 * Return: as account_append().
 */
int account_checkpoint(struct account *account);

/**
 * account_last() - number of the last entry that is on disk
 * @account: an account
 */
uint64_t account_last(const struct account *account);

/**
 * account_last_kernel() - the kernel's event that was recorded last in this boot
 * @account: an account
 * @ret_seq: receives its number
 *
 * Not counted are those before an entry of the kind ACCOUNT_KIND_LOADED.
 *
 * Return: 1, 0 if there is none, or an error.
 */
int account_last_kernel(struct account *account, uint64_t *ret_seq);

/**
 * account_error() - what the last function that failed had to complain about
 * @account: an account
 *
 * Return: a sentence, valid until the next call.
 */
const char *account_error(const struct account *account);

/**
 * account_close() - sign the last entry and close
 * @account: freed in any case; may be NULL
 * @error: receives a sentence if it fails; may be NULL
 *
 * Return: as account_checkpoint().
 */
int account_close(struct account *account, char error[ACCOUNT_ERROR_SIZE]);

/* ---- account_read.c ---- */

struct account_reader;

/**
 * struct account_batch - consecutive rows, read at one moment
 * @entries: in the order of @seq
 * @count: how many; 0 behind the last
 * @heads: checkpoints for these entries; behind the last entry, those that are
 *	left over
 * @heads_count: how many
 * @more_heads: there are more left over
 */
struct account_batch {
	struct account_entry *entries;
	size_t count;
	struct account_head *heads;
	size_t heads_count;
	bool more_heads;
};

/**
 * account_reader_open() - open an account, or a copy of one, to read
 * @path: its file; nothing is ever written, neither to it nor beside it
 * @ret: receives the reader, which the caller closes
 * @error: receives a sentence if it fails
 *
 * Nothing that the file holds is believed.
 *
 * Return: 0; -ENOENT; -EBADMSG if it is no account; -EPROTONOSUPPORT if its
 * format is not known; -EUCLEAN if a crash has left a transaction that only a
 * writer can roll back; or another error.
 */
int account_reader_open(const char *path, struct account_reader **ret,
			char error[ACCOUNT_ERROR_SIZE]);

/**
 * account_reader_close() - close it
 * @reader: may be NULL
 */
void account_reader_close(struct account_reader *reader);

/* What the file says of itself: which account it is, and whose key signs it. */
const uint8_t *account_reader_store(const struct account_reader *reader);
const uint8_t *account_reader_public(const struct account_reader *reader);

/**
 * account_reader_next() - read the entries behind those of the last call
 * @reader: a reader
 * @batch: receives them, valid until the next call
 * @error: receives a sentence if it fails
 *
 * Locks writers out only until it returns.
 *
 * Return: 0; -EBADMSG if a row cannot be one, whose place @error names, and the
 * entries before it are in @batch; or another error.
 */
int account_reader_next(struct account_reader *reader, struct account_batch *batch,
			char error[ACCOUNT_ERROR_SIZE]);

/**
 * account_reader_size() - how many entries there seem to be, for progress
 * @reader: a reader
 */
uint64_t account_reader_size(struct account_reader *reader);

/**
 * account_reader_head() - the last checkpoint
 * @reader: a reader
 * @head: receives it, unchecked
 * @error: receives a sentence if it fails
 *
 * Return: 0, -ENODATA if there is none, or an error.
 */
int account_reader_head(struct account_reader *reader, struct account_head *head,
			char error[ACCOUNT_ERROR_SIZE]);

/* ---- account_verify.c ---- */

/**
 * struct account_check - what to check, and whom to tell
 * @public: the pinned key; NULL to take the one in the file
 * @expect: a head that it must still hold; may be NULL
 * @on_entry: called for each entry that passed; another value than 0 stops
 * @on_finding: called for each finding: the entry's number, a word for its kind
 *	and a sentence; another value than 0 stops
 * @data: for both
 * @entries: receives the number of entries read
 * @last: receives the last entry's number
 * @heads: receives the number of good checkpoints
 * @signed_seq: receives the last entry under a good signature
 * @missed: receives the number of events that the kernel had reported as lost
 * @findings: receives the number of findings
 */
struct account_check {
	const uint8_t *public;
	const struct account_head *expect;
	int (*on_entry)(const struct account_entry *entry, void *data);
	int (*on_finding)(uint64_t seq, const char *kind, const char *what, void *data);
	void *data;
	uint64_t entries;
	uint64_t last;
	uint64_t heads;
	uint64_t signed_seq;
	uint64_t missed;
	uint64_t findings;
};

/**
 * account_verify() - read an account from its first entry to its last
 * @reader: at its beginning
 * @check: see there
 * @error: receives a sentence if it fails
 *
 * Return: 0 if it was read to its end, whatever was found; what a callback
 * returned; or an error.
 */
int account_verify(struct account_reader *reader, struct account_check *check,
		   char error[ACCOUNT_ERROR_SIZE]);

#endif /* _TRUSTGATE_ACCOUNT_H */
