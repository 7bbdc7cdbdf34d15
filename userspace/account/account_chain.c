// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account's encoding: which bytes are hashed and signed.
 *
 * Owns: the order and form of the fields, heads as text.
 *
 * Must not own: files, keys. A change here is another format: see the vectors
 * in account_test.c.
 *
 * Each field is preceded by its length in four bytes, the most significant
 * first, so no two different lists of fields give the same bytes. The first
 * field says what the bytes are for, so that no entry passes for a checkpoint.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "account.h"

#define DOMAIN_ENTRY	"trustgate account entry 1"
#define DOMAIN_HEAD	"trustgate account checkpoint 1"
#define HEAD_PREFIX	"trustgate-account-head:1:"

static void put_be32(uint8_t *to, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		to[i] = number >> (24 - 8 * i);
}

static void put_be64(uint8_t *to, uint64_t number)
{
	for (int i = 0; i < 8; i++)
		to[i] = number >> (56 - 8 * i);
}

/* ---- entries ---- */

static bool hash_field(EVP_MD_CTX *context, const void *bytes, size_t size)
{
	uint8_t length[4];

	put_be32(length, size);
	return EVP_DigestUpdate(context, length, sizeof(length)) == 1 &&
	       (!size || EVP_DigestUpdate(context, bytes, size) == 1);
}

static bool hash_number(EVP_MD_CTX *context, uint64_t number)
{
	uint8_t bytes[8];

	put_be64(bytes, number);
	return hash_field(context, bytes, sizeof(bytes));
}

/* What is no event of the kernel has two empty fields instead of numbers. */
static bool hash_kernel(EVP_MD_CTX *context, const struct account_entry *entry)
{
	if (!entry->kernel)
		return hash_field(context, NULL, 0) && hash_field(context, NULL, 0);
	return hash_number(context, entry->kernel_seq) && hash_number(context, entry->kernel_missed);
}

int account_entry_hash(const uint8_t store[ACCOUNT_ID_SIZE], const struct account_entry *entry,
		       uint8_t hash[ACCOUNT_HASH_SIZE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good;

	good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
	       hash_field(context, DOMAIN_ENTRY, strlen(DOMAIN_ENTRY)) &&
	       hash_field(context, store, ACCOUNT_ID_SIZE) &&
	       hash_number(context, entry->seq) &&
	       hash_field(context, entry->boot_id, ACCOUNT_ID_SIZE) &&
	       hash_number(context, entry->realtime_ns) &&
	       hash_number(context, entry->boottime_ns) &&
	       hash_field(context, entry->kind, strlen(entry->kind)) &&
	       hash_kernel(context, entry) &&
	       hash_field(context, entry->body, entry->body_size) &&
	       hash_field(context, entry->previous, ACCOUNT_HASH_SIZE) &&
	       EVP_DigestFinal_ex(context, hash, NULL) == 1;
	EVP_MD_CTX_free(context);
	return good ? 0 : -EIO;
}

/* ---- heads ---- */

static size_t put_field(uint8_t *to, const void *bytes, size_t size)
{
	put_be32(to, size);
	memcpy(to + 4, bytes, size);
	return 4 + size;
}

size_t account_head_message(const struct account_head *head,
			    uint8_t message[ACCOUNT_HEAD_MESSAGE_SIZE])
{
	uint8_t number[8];
	size_t size = 0;

	size += put_field(message + size, DOMAIN_HEAD, strlen(DOMAIN_HEAD));
	size += put_field(message + size, head->store, sizeof(head->store));
	put_be64(number, head->seq);
	size += put_field(message + size, number, sizeof(number));
	size += put_field(message + size, head->hash, sizeof(head->hash));
	put_be64(number, head->realtime_ns);
	size += put_field(message + size, number, sizeof(number));
	return size;
}

char *account_hex(const uint8_t *bytes, size_t size, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * size] = 0;
	return text;
}

void account_head_format(const struct account_head *head, char line[ACCOUNT_HEAD_SIZE])
{
	char store[2 * ACCOUNT_ID_SIZE + 1], hash[2 * ACCOUNT_HASH_SIZE + 1];
	char signature[2 * ACCOUNT_SIGNATURE_SIZE + 1];

	snprintf(line, ACCOUNT_HEAD_SIZE, HEAD_PREFIX "%s:%" PRIu64 ":%s:%" PRIu64 ":%s",
		 account_hex(head->store, sizeof(head->store), store), head->seq,
		 account_hex(head->hash, sizeof(head->hash), hash), head->realtime_ns,
		 account_hex(head->signature, sizeof(head->signature), signature));
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(const char **line, uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int high = hex_digit((*line)[0]);
		int low = high < 0 ? -1 : hex_digit((*line)[1]);

		if (low < 0)
			return false;
		bytes[i] = high << 4 | low;
		*line += 2;
	}
	return true;
}

static bool take_number(const char **line, uint64_t max, uint64_t *number)
{
	const char *digit = *line;

	*number = 0;
	for (; *digit >= '0' && *digit <= '9'; digit++)
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, (uint64_t)(*digit - '0'), number))
			return false;
	if (digit == *line || *number > max)
		return false;
	*line = digit;
	return true;
}

static bool take_colon(const char **line)
{
	return *(*line)++ == ':';
}

int account_head_parse(const char *line, struct account_head *head)
{
	if (strncmp(line, HEAD_PREFIX, strlen(HEAD_PREFIX)))
		return -EINVAL;
	line += strlen(HEAD_PREFIX);
	if (!take_hex(&line, head->store, sizeof(head->store)) || !take_colon(&line) ||
	    !take_number(&line, ACCOUNT_COUNT_MAX, &head->seq) || !take_colon(&line) ||
	    !take_hex(&line, head->hash, sizeof(head->hash)) || !take_colon(&line) ||
	    !take_number(&line, ACCOUNT_TIME_MAX, &head->realtime_ns) || !take_colon(&line) ||
	    !take_hex(&line, head->signature, sizeof(head->signature)))
		return -EINVAL;
	if (*line == '\n')
		line++;
	return *line || !head->seq ? -EINVAL : 0;
}

/* ---- genesis ---- */

void account_genesis_body(const uint8_t store[ACCOUNT_ID_SIZE], const uint8_t key[ACCOUNT_KEY_SIZE],
			  char body[ACCOUNT_GENESIS_SIZE])
{
	char store_text[2 * ACCOUNT_ID_SIZE + 1], key_text[2 * ACCOUNT_KEY_SIZE + 1];

	snprintf(body, ACCOUNT_GENESIS_SIZE, "{\"format\":%d,\"key\":\"%s\",\"store\":\"%s\"}",
		 ACCOUNT_FORMAT, account_hex(key, ACCOUNT_KEY_SIZE, key_text),
		 account_hex(store, ACCOUNT_ID_SIZE, store_text));
}
