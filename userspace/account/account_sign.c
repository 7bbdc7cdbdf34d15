// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account's key.
 *
 * Owns: the file of the private key, signing and checking heads.
 *
 * Must not own: what is signed (account_chain.c), or when.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "account.h"

struct account_key {
	EVP_PKEY *pair;
	uint8_t public[ACCOUNT_KEY_SIZE];
};

#define fail(error, code, ...) ({ \
	snprintf(error, ACCOUNT_ERROR_SIZE, __VA_ARGS__); \
	(code); \
})

static bool take_public(EVP_PKEY *pair, uint8_t public[ACCOUNT_KEY_SIZE])
{
	size_t size = ACCOUNT_KEY_SIZE;

	return EVP_PKEY_get_id(pair) == EVP_PKEY_ED25519 &&
	       EVP_PKEY_get_raw_public_key(pair, public, &size) == 1 && size == ACCOUNT_KEY_SIZE;
}

/* ---- the file ---- */

/* A key with a passphrase is none for a service: never ask on the terminal. */
static int no_passphrase(char *buffer, int size, int rwflag, void *data)
{
	(void)buffer;
	(void)size;
	(void)rwflag;
	(void)data;
	return -1;
}

static int key_read(const char *path, EVP_PKEY **ret, char *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat info;
	FILE *file;

	if (fd < 0)
		return fail(error, -errno, "cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_uid != geteuid() ||
	    (info.st_mode & 07777) != 0600) {
		close(fd);
		return fail(error, -EPERM,
			    "%s could have been read by others: it must be a file of user %u with mode 0600",
			    path, (unsigned int)geteuid());
	}
	file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return fail(error, -ENOMEM, "out of memory");
	}
	*ret = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
	fclose(file);
	if (!*ret)
		return fail(error, -EBADMSG,
			    "%s holds no private key: put back the one that was made with the account",
			    path);
	return 0;
}

static int sync_directory(const char *path)
{
	char directory[PATH_MAX];
	char *slash;
	int fd, r = 0;

	if ((size_t)snprintf(directory, sizeof(directory), "%s", path) >= sizeof(directory))
		return -ENAMETOOLONG;
	slash = strrchr(directory, '/');
	if (slash)
		slash[slash == directory] = 0;
	fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int key_write(int fd, EVP_PKEY *pair)
{
	FILE *file = fdopen(fd, "w");
	int r = 0;

	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	if (fchmod(fd, 0600) < 0)
		r = -errno;
	else if (PEM_write_PrivateKey(file, pair, NULL, NULL, 0, NULL, NULL) != 1)
		r = -EIO;
	else if (fflush(file) || fsync(fd) < 0)
		r = -errno;
	if (fclose(file) && r == 0)
		r = -errno;
	return r;
}

/* Complete on disk under its name, or not there at all, whenever power fails. */
static int key_make(const char *path, EVP_PKEY **ret, char *error)
{
	char name[PATH_MAX];
	EVP_PKEY *pair;
	int fd, r;

	if ((size_t)snprintf(name, sizeof(name), "%s.new", path) >= sizeof(name))
		return fail(error, -ENAMETOOLONG, "the name is too long: %s", path);
	pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (!pair)
		return fail(error, -EIO, "libcrypto makes no Ed25519 key");
	/* What a crash has left is nobody's key yet. */
	(void)unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : key_write(fd, pair);
	if (r == 0 && rename(name, path) < 0)
		r = -errno;
	if (r == 0)
		r = sync_directory(path);
	if (r < 0) {
		EVP_PKEY_free(pair);
		return fail(error, r, "cannot make %s: %s", path, strerror(-r));
	}
	*ret = pair;
	return 0;
}

int account_key_load(const char *path, bool make, struct account_key **ret,
		     char error[ACCOUNT_ERROR_SIZE])
{
	struct account_key *key = calloc(1, sizeof(*key));
	int r;

	if (!key)
		return fail(error, -ENOMEM, "out of memory");
	r = key_read(path, &key->pair, error);
	if (r == -ENOENT && make)
		r = key_make(path, &key->pair, error);
	if (r == 0 && !take_public(key->pair, key->public))
		r = fail(error, -EBADMSG, "%s holds no Ed25519 key", path);
	if (r < 0) {
		account_key_free(key);
		return r;
	}
	*ret = key;
	return 0;
}

void account_key_free(struct account_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pair);
	free(key);
}

const uint8_t *account_key_public(const struct account_key *key)
{
	return key->public;
}

/* ---- signatures ---- */

int account_key_sign(const struct account_key *key, struct account_head *head)
{
	uint8_t message[ACCOUNT_HEAD_MESSAGE_SIZE];
	size_t size = account_head_message(head, message);
	size_t signature_size = sizeof(head->signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good;

	good = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key->pair) == 1 &&
	       EVP_DigestSign(context, head->signature, &signature_size, message, size) == 1 &&
	       signature_size == sizeof(head->signature);
	EVP_MD_CTX_free(context);
	return good ? 0 : -EIO;
}

bool account_head_good(const uint8_t public[ACCOUNT_KEY_SIZE], const struct account_head *head)
{
	uint8_t message[ACCOUNT_HEAD_MESSAGE_SIZE];
	size_t size = account_head_message(head, message);
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public,
						    ACCOUNT_KEY_SIZE);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good;

	good = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
	       EVP_DigestVerify(context, head->signature, sizeof(head->signature), message,
				size) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return good;
}

/* ---- public keys ---- */

int account_public_load(const char *path, uint8_t public[ACCOUNT_KEY_SIZE],
			char error[ACCOUNT_ERROR_SIZE])
{
	FILE *file = fopen(path, "re");
	EVP_PKEY *key;
	bool good;

	if (!file)
		return fail(error, -errno, "cannot open %s: %s", path, strerror(errno));
	key = PEM_read_PUBKEY(file, NULL, no_passphrase, NULL);
	fclose(file);
	good = key && take_public(key, public);
	EVP_PKEY_free(key);
	if (!good)
		return fail(error, -EBADMSG,
			    "%s holds no Ed25519 public key in PEM, as \"trustgate journal key\" prints it",
			    path);
	return 0;
}

char *account_public_pem(const uint8_t public[ACCOUNT_KEY_SIZE])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public,
						    ACCOUNT_KEY_SIZE);
	BIO *memory = BIO_new(BIO_s_mem());
	char *text = NULL, *data;
	long size;

	if (key && memory && PEM_write_bio_PUBKEY(memory, key) == 1) {
		size = BIO_get_mem_data(memory, &data);
		if (size > 0)
			text = strndup(data, size);
	}
	BIO_free(memory);
	EVP_PKEY_free(key);
	return text;
}
