"""What an extension has made, described in full, so that two ways to come to it can be compared."""

# A description by the kind of object, as rows (part, text). `o` is the object: classid, objid.
DESCRIPTIONS = {
    "pg_namespace": "SELECT '' AS part, concat_ws(' ', nspowner::regrole, nspacl) AS text FROM pg_namespace WHERE oid = o.objid",
    "pg_proc": """
        SELECT '' AS part, concat_ws(' ', pg_get_functiondef(oid), proowner::regrole, proacl) AS text
        FROM pg_proc WHERE oid = o.objid""",
    "pg_foreign_data_wrapper": """
        SELECT '' AS part, concat_ws(' ', fdwowner::regrole, fdwhandler::regproc, fdwvalidator::regprocedure, fdwoptions, fdwacl) AS text
        FROM pg_foreign_data_wrapper WHERE oid = o.objid""",
    # Those of relations, and arrays of these, are all that there are.
    "pg_type": """
        SELECT '' AS part, concat_ws(' ', typowner::regrole, typacl) AS text
        FROM pg_type WHERE oid = o.objid AND (typrelid <> 0 OR typelem <> 0)""",
    "pg_class": """
        SELECT '' AS part, concat_ws(' ', relkind, relpersistence, relowner::regrole, relacl, reloptions, relrowsecurity, relforcerowsecurity, relreplident) AS text
        FROM pg_class WHERE oid = o.objid
        UNION ALL
        SELECT ' as', pg_get_viewdef(oid) FROM pg_class WHERE oid = o.objid AND relkind IN ('v', 'm')
        UNION ALL
        SELECT ' counts', concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle)
        FROM pg_sequence WHERE seqrelid = o.objid
        UNION ALL
        SELECT ' column ' || attname, concat_ws(' ', rank() OVER (ORDER BY attnum), format_type(atttypid, atttypmod), attcollation::regcollation,
               attnotnull, pg_get_expr(adbin, adrelid), attidentity, attgenerated, attstorage, attcompression, attstattarget, attacl,
               -- A number of its own that newer minor releases give each column.
               ARRAY(SELECT option FROM unnest(attoptions) option WHERE option NOT LIKE 'pg_attver=%%'),
               col_description(attrelid, attnum))
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = o.objid AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT ' constraint ' || conname, concat_ws(' ', pg_get_constraintdef(oid), convalidated, obj_description(oid, 'pg_constraint'))
        FROM pg_constraint WHERE conrelid = o.objid
        UNION ALL
        SELECT ' index ' || indexrelid::regclass, concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid, indisreplident, obj_description(indexrelid, 'pg_class'))
        FROM pg_index WHERE indrelid = o.objid
        UNION ALL
        SELECT ' trigger ' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = o.objid AND NOT tgisinternal
        UNION ALL
        SELECT ' rule ' || rulename, pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = o.objid AND rulename <> '_RETURN'
        UNION ALL
        SELECT ' policy ' || polname, concat_ws(' ', polcmd, polpermissive, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
        FROM pg_policy WHERE polrelid = o.objid""",
}

MEMBERS = """
    SELECT o.classid::regclass::text AS kind, o.classid, o.objid, i.type || ' ' || i.identity AS name
    FROM pg_depend o JOIN pg_extension e ON e.oid = o.refobjid AND o.refclassid = 'pg_extension'::regclass,
         pg_identify_object(o.classid, o.objid, 0) i
    WHERE o.deptype = 'e' AND e.extname = %(extension)s"""

COMMENTS_AND_FIRST_RIGHTS = f"""
    SELECT name || ' comment', obj_description(objid, kind) FROM ({MEMBERS}) o
    UNION ALL
    SELECT concat(name, ' first rights ', objsubid), concat(privtype, initprivs)
    FROM ({MEMBERS}) o JOIN pg_init_privs p ON p.classoid = o.classid AND p.objoid = o.objid"""

# Of the extension itself: where it is, and what of it is dumped.
EXTENSION = """
    SELECT 'extension', concat_ws(' ', extowner::regrole, extnamespace::regnamespace, extrelocatable, obj_description(oid, 'pg_extension'))
    FROM pg_extension WHERE extname = %(extension)s
    UNION ALL
    SELECT 'dumped ' || d.what::regclass, condition
    FROM pg_extension, unnest(extconfig, extcondition) AS d(what, condition) WHERE extname = %(extension)s"""


def catalog_of(connection, extension):
    """Each part of each object of the extension, by its name, as a text. An object of a kind that
    is not described here is an error, since it could not be compared."""
    def ask(query):
        return connection.execute(query, {"extension": extension}).fetchall()

    connection.execute("SET search_path = pg_catalog")
    kinds = {row[0] for row in ask(f"SELECT DISTINCT kind FROM ({MEMBERS}) o")}
    described = dict(ask(EXTENSION) + ask(COMMENTS_AND_FIRST_RIGHTS))
    for kind in kinds:
        described |= dict(ask(f"""
            SELECT o.name || d.part, d.text FROM ({MEMBERS}) o LEFT JOIN LATERAL ({DESCRIPTIONS[kind]}) d ON true
            WHERE o.kind = '{kind}'"""))
    connection.execute("RESET search_path")
    assert None not in described, "a member has no description"
    return described


def differences(one, other):
    """Names of what is not the same in both."""
    return sorted(name for name in one.keys() | other.keys() if name not in one or name not in other or one[name] != other[name])
