-- The tenancy functions. Applied before the generated migrations, whose policies call them, by every `npm run db:migrate`;
-- hence "or replace" throughout.

create schema if not exists tenancy;

-- Which account may the running statement see? Every policy asks this, and nothing else.
-- Null when no tenant is set, so that nothing matches. After the transaction that set it, the setting reads '' rather than null.
-- If the context is signed, tenancy_signed.sql replaces this body.
create or replace function tenancy.current_account() returns bigint
  language sql stable parallel safe
as $$
  select nullif(current_setting('app.current_tenant', true), '')::bigint
$$;

-- Sets the tenant of the current transaction: first, once, at its top level.
-- A second call with another tenant raises, even inside a savepoint; so an injected SELECT cannot move a transaction.
-- SET LOCAL rather than set_config: the right to execute that one is revoked from the app role, and Citus does not send it on.
create or replace function tenancy.enter(context text) returns void
  language plpgsql volatile security invoker
as $$
declare
  present text := nullif(current_setting('app.current_tenant', true), '');
begin
  if coalesce(context, '') = '' then
    raise exception 'no tenant given' using errcode = 'insufficient_privilege';
  end if;
  if present is not null and split_part(present, '.', 1) <> split_part(context, '.', 1) then
    raise exception 'this transaction belongs to another tenant' using errcode = 'insufficient_privilege';
  end if;
  set local citus.propagate_set_commands = 'local'; -- a harmless placeholder on plain PostgreSQL
  execute format('set local app.current_tenant = %L', context);
end
$$;
