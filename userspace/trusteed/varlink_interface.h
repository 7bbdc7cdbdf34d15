/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TRUSTEED_VARLINK_INTERFACE_H
#define _TRUSTEED_VARLINK_INTERFACE_H

#include <systemd/sd-varlink-idl.h>

/* io.trustgate.Agent, as varlinkctl introspect shows it. */
extern const sd_varlink_interface vl_interface_io_trustgate_Agent;

#endif
