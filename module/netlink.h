/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family of uapi/postern.yaml.  netlink_gen.c says which command
 * takes which attributes; netlink_parse.c reads what commands share, netlink_put.c
 * writes replies and events, netlink_sa.c and netlink_policy.c are the commands.
 */
#ifndef _POSTERN_NETLINK_H
#define _POSTERN_NETLINK_H

#include "compat.h"
#include "net.h"
#include "netlink_gen.h"

/* Largest SPI that is reserved by IANA (RFC 4303 section 2.1). */
#define POSTERN_SPI_RESERVED	255

/*
 * Is attribute @type absent from @tb?  If so, the error says so in words and for
 * programs; @name is a string literal.
 */
#define postern_nl_missing(extack, nest, tb, type, name) ({		\
	struct netlink_ext_ack *__ack = (extack);			\
	bool __missing = NL_REQ_ATTR_CHECK(__ack, nest, tb, type);	\
									\
	if (__missing)							\
		NL_SET_ERR_MSG(__ack, "attribute " name " is required");	\
	__missing;							\
})

/* What selects the objects of a flush, for its event. */
struct postern_nl_flush {
	const struct nlattr *owner;
	const struct nlattr *kind;	/* protocol of SAs, direction of policies */
	u32 count;
};

int postern_netlink_init(void);
void postern_netlink_exit(void);

int postern_nl_get_addr(const struct nlattr *attr, union nf_inet_addr *addr,
			u8 *family, struct netlink_ext_ack *extack);
bool postern_nl_has_ports(u8 proto);
int postern_nl_get_proto(const struct nlattr *attr, u8 *proto,
			 struct netlink_ext_ack *extack);
int postern_nl_get_spi(const struct nlattr *attr, u8 proto, __be32 *spi,
		       struct netlink_ext_ack *extack);
int postern_nl_get_selector(const struct nlattr *nest,
			    struct postern_selector *sel,
			    struct netlink_ext_ack *extack);

int postern_nl_put_u64(struct sk_buff *skb, int attr, u64 value);
int postern_nl_put_addr(struct sk_buff *skb, int attr,
			const union nf_inet_addr *addr, u8 family);
int postern_nl_put_selector(struct sk_buff *skb, int attr,
			    const struct postern_selector *sel);
int postern_nl_put_tmpl(struct sk_buff *skb, const struct postern_tmpl *tmpl);
int postern_nl_put_drop(struct sk_buff *skb, int attr,
			enum postern_drop_reason reason, u64 packets,
			bool with_text);
int postern_nl_put_sa(struct sk_buff *skb, struct postern_sa *sa,
		      bool with_keys);
int postern_nl_put_sa_used(struct sk_buff *skb, struct postern_sa *sa);
int postern_nl_put_sa_mapping(struct sk_buff *skb, const struct postern_sa *sa,
			      const union nf_inet_addr *src, __be16 sport);
int postern_nl_put_sa_expired(struct sk_buff *skb, struct postern_sa *sa,
			      bool hard);
int postern_nl_put_policy(struct sk_buff *skb,
			  const struct postern_policy *policy);

#endif
