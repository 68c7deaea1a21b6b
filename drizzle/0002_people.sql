CREATE TABLE "api_tokens" (
	"account_id" bigint NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"name" text NOT NULL,
	"token_hash" text NOT NULL,
	"scope" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"used_at" timestamp with time zone,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "api_tokens_pk" PRIMARY KEY("account_id","id"),
	CONSTRAINT "api_tokens_token_key" UNIQUE("account_id","token_hash"),
	CONSTRAINT "api_tokens_name_length" CHECK (char_length("api_tokens"."name") between 1 and 500),
	CONSTRAINT "api_tokens_scope_known" CHECK ("api_tokens"."scope" in ('read', 'write'))
);
--> statement-breakpoint
ALTER TABLE "api_tokens" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "audit_log" (
	"account_id" bigint NOT NULL,
	"id" uuid NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"user_id" uuid,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"entity" text NOT NULL,
	"entity_id" uuid NOT NULL,
	"before" jsonb,
	"after" jsonb,
	CONSTRAINT "audit_log_pk" PRIMARY KEY("account_id","id")
);
--> statement-breakpoint
ALTER TABLE "audit_log" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "invitations" (
	"account_id" bigint NOT NULL,
	"id" uuid NOT NULL,
	"email" text NOT NULL,
	"role" text NOT NULL,
	"token_hash" text NOT NULL,
	"invited_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"accepted_at" timestamp with time zone,
	CONSTRAINT "invitations_pk" PRIMARY KEY("account_id","id"),
	CONSTRAINT "invitations_token_key" UNIQUE("account_id","token_hash"),
	CONSTRAINT "invitations_email_lower" CHECK ("invitations"."email" = lower("invitations"."email")),
	CONSTRAINT "invitations_role_known" CHECK ("invitations"."role" in ('owner', 'admin', 'member', 'viewer'))
);
--> statement-breakpoint
ALTER TABLE "invitations" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "rate_counts" (
	"account_id" bigint NOT NULL,
	"id" uuid NOT NULL,
	"key" text NOT NULL,
	"count" integer NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "rate_counts_pk" PRIMARY KEY("account_id","id"),
	CONSTRAINT "rate_counts_key" UNIQUE("account_id","key")
);
--> statement-breakpoint
ALTER TABLE "rate_counts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "sessions" (
	"account_id" bigint NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"token_hash" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"address" text NOT NULL,
	"user_agent" text NOT NULL,
	CONSTRAINT "sessions_pk" PRIMARY KEY("account_id","id"),
	CONSTRAINT "sessions_token_key" UNIQUE("account_id","token_hash")
);
--> statement-breakpoint
ALTER TABLE "sessions" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "sign_in_attempts" (
	"account_id" bigint NOT NULL,
	"id" uuid NOT NULL,
	"email" text NOT NULL,
	"address" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sign_in_attempts_pk" PRIMARY KEY("account_id","id")
);
--> statement-breakpoint
ALTER TABLE "sign_in_attempts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "projects" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "subtasks" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "role" text DEFAULT 'member' NOT NULL;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "api_tokens" ADD CONSTRAINT "api_tokens_user_id_fk" FOREIGN KEY ("account_id","user_id") REFERENCES "public"."users"("account_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_account_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("account_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invitations" ADD CONSTRAINT "invitations_account_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("account_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rate_counts" ADD CONSTRAINT "rate_counts_account_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("account_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fk" FOREIGN KEY ("account_id","user_id") REFERENCES "public"."users"("account_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sign_in_attempts" ADD CONSTRAINT "sign_in_attempts_account_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("account_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_tokens_user_id_idx" ON "api_tokens" USING btree ("account_id","user_id");--> statement-breakpoint
CREATE INDEX "audit_log_entity_idx" ON "audit_log" USING btree ("account_id","entity_id");--> statement-breakpoint
CREATE INDEX "rate_counts_age_idx" ON "rate_counts" USING btree ("account_id","expires_at");--> statement-breakpoint
CREATE INDEX "sessions_user_id_idx" ON "sessions" USING btree ("account_id","user_id");--> statement-breakpoint
CREATE INDEX "sign_in_attempts_email_idx" ON "sign_in_attempts" USING btree ("account_id","email","at");--> statement-breakpoint
CREATE INDEX "sign_in_attempts_address_idx" ON "sign_in_attempts" USING btree ("account_id","address","at");--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_role_known" CHECK ("users"."role" in ('owner', 'admin', 'member', 'viewer'));--> statement-breakpoint
CREATE POLICY "tenant_isolation" ON "api_tokens" AS RESTRICTIVE FOR ALL TO "rowhouse_app" USING (account_id = tenancy.current_account()) WITH CHECK (account_id = tenancy.current_account());--> statement-breakpoint
CREATE POLICY "tenant_access" ON "api_tokens" AS PERMISSIVE FOR ALL TO "rowhouse_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "tenant_isolation" ON "audit_log" AS RESTRICTIVE FOR ALL TO "rowhouse_app" USING (account_id = tenancy.current_account()) WITH CHECK (account_id = tenancy.current_account());--> statement-breakpoint
CREATE POLICY "tenant_access" ON "audit_log" AS PERMISSIVE FOR ALL TO "rowhouse_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "tenant_isolation" ON "invitations" AS RESTRICTIVE FOR ALL TO "rowhouse_app" USING (account_id = tenancy.current_account()) WITH CHECK (account_id = tenancy.current_account());--> statement-breakpoint
CREATE POLICY "tenant_access" ON "invitations" AS PERMISSIVE FOR ALL TO "rowhouse_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "tenant_isolation" ON "rate_counts" AS RESTRICTIVE FOR ALL TO "rowhouse_app" USING (account_id = tenancy.current_account()) WITH CHECK (account_id = tenancy.current_account());--> statement-breakpoint
CREATE POLICY "tenant_access" ON "rate_counts" AS PERMISSIVE FOR ALL TO "rowhouse_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "tenant_isolation" ON "sessions" AS RESTRICTIVE FOR ALL TO "rowhouse_app" USING (account_id = tenancy.current_account()) WITH CHECK (account_id = tenancy.current_account());--> statement-breakpoint
CREATE POLICY "tenant_access" ON "sessions" AS PERMISSIVE FOR ALL TO "rowhouse_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "tenant_isolation" ON "sign_in_attempts" AS RESTRICTIVE FOR ALL TO "rowhouse_app" USING (account_id = tenancy.current_account()) WITH CHECK (account_id = tenancy.current_account());--> statement-breakpoint
CREATE POLICY "tenant_access" ON "sign_in_attempts" AS PERMISSIVE FOR ALL TO "rowhouse_app" USING (true) WITH CHECK (true);