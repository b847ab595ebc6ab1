# Buckets as newer AWS providers have them: their settings are resources of their own.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

provider "aws" {
  region                      = "vn-hn"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  s3_use_path_style           = true

  endpoints {
    s3 = "https://s3.hn.example.vn"
  }
}

# Everything set, by the bucket's id, which is not known before it is there.
resource "aws_s3_bucket" "ho_so" {
  bucket              = "ho-so-cong-dan"
  object_lock_enabled = true

  tags = {
    system_id      = "cong-dich-vu"
    data_class     = "important"
    data_residency = "VN"
  }
}

resource "aws_s3_bucket_versioning" "ho_so" {
  bucket = aws_s3_bucket.ho_so.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "ho_so" {
  bucket = aws_s3_bucket.ho_so.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "ho_so" {
  bucket                  = aws_s3_bucket.ho_so.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_object_lock_configuration" "ho_so" {
  bucket = aws_s3_bucket.ho_so.id

  rule {
    default_retention {
      mode = "COMPLIANCE"
      days = 30
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "ho_so" {
  bucket = aws_s3_bucket.ho_so.id

  rule {
    id     = "ban-cu"
    status = "Enabled"

    noncurrent_version_expiration {
      noncurrent_days = 90
    }
  }
}

resource "aws_s3_bucket_logging" "ho_so" {
  bucket        = aws_s3_bucket.ho_so.id
  target_bucket = aws_s3_bucket.kho["nhật ký"].id
  target_prefix = "ho-so-cong-dan/"
}

# Several of a kind, with settings of the same kind.
resource "aws_s3_bucket" "kho" {
  for_each = { "nhật ký" = "nhat-ky", "mở" = "du-lieu-mo" }
  bucket   = each.value
}

resource "aws_s3_bucket_versioning" "kho" {
  for_each = aws_s3_bucket.kho
  bucket   = each.value.id

  versioning_configuration {
    status = each.key == "mở" ? "Suspended" : "Enabled"
  }
}

resource "aws_s3_bucket_acl" "mo" {
  bucket = aws_s3_bucket.kho["mở"].id
  acl    = "public-read"
}

resource "aws_s3_bucket_policy" "mo" {
  bucket = aws_s3_bucket.kho["mở"].bucket
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.kho["mở"].arn}/*"
    }]
  })
}

# Nothing set at all.
resource "aws_s3_bucket" "tran" {
  bucket = "tran"
}

# A setting of a bucket that another configuration made.
resource "aws_s3_bucket_versioning" "nguoi_khac" {
  bucket = "cua-nguoi-khac"

  versioning_configuration {
    status = "Disabled"
  }
}

# In a module, both counted.
module "sao_luu" {
  source = "./modules/kho"
  name   = "sao-luu"
}

module "khong_ma_hoa" {
  source  = "./modules/kho"
  name    = "khong-ma-hoa"
  encrypt = false
}
